import type { TreeAnswer, TreeQuestion } from "@restic-manager/protocol/tree";
import type { TreeReader } from "./tree-reader.ts";
import type { Browser } from "./browser.ts";

/**
 * A browser that is made with the first question: its code and its folder are nothing for an agent that only waits. When it cannot be made
 * that question has the reason for an answer, and the next one tries again.
 */
export function lateBrowser(
  make: () => Promise<Pick<Browser, "ask" | "look" | "leave" | "leaveAll" | "stop">>,
) {
  let browser: ReturnType<typeof make> | undefined;
  const made = () => {
    browser ??= make().catch((error: unknown) => {
      browser = undefined;
      throw error;
    });
    return browser;
  };
  const nothing = (): void => {};
  return {
    async ask(question: TreeQuestion): Promise<TreeAnswer> {
      const { request_id } = question;
      let ready: Awaited<ReturnType<typeof make>>;
      try {
        ready = await made();
      } catch (error) {
        const why = error instanceof Error ? error.message : "unknown error";
        const message = `This machine cannot look into snapshots: ${why}`.slice(0, 8_000);
        return { type: "tree.failed", request_id, error: { code: "failed", message } };
      }
      return await ready.ask(question);
    },
    /** As `Browser.look`; without an index when there can be no browser. */
    async look<T>(
      snapshot: { id: string; tree: string | undefined },
      cancel: AbortSignal,
      look: (reader: TreeReader | undefined) => Promise<T>,
    ): Promise<T> {
      const ready = await made().catch(nothing);
      return ready === undefined ? await look(undefined) : await ready.look(snapshot, cancel, look);
    },
    leave: (requestId: string) => void browser?.then((there) => there.leave(requestId), nothing),
    leaveAll: () => void browser?.then((there) => there.leaveAll(), nothing),
    stop: async () => {
      const there = await browser?.catch(nothing);
      await there?.stop();
    },
  };
}
