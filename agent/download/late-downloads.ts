import type { DownloadOrder } from "@restic-manager/protocol/download";
import type { Downloads } from "./downloads.ts";

/** Made with the first download: an agent that only waits has no use for its code. */
export function lateDownloads(make: () => Promise<Downloads>, onError: (error: unknown) => void) {
  let made: Promise<Downloads> | undefined;
  return {
    take(order: DownloadOrder): void {
      if (made === undefined && order.type !== "download.open") return;
      made ??= make();
      made
        .then((downloads) => downloads.take(order))
        .catch((error: unknown) => {
          made = undefined;
          onError(error);
        });
    },
    leaveAll: (): void => void made?.then((downloads) => downloads.leaveAll()).catch(onError),
    stop: async (): Promise<void> => {
      await (await made?.catch(() => undefined))?.stop();
    },
  };
}
