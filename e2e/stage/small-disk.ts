import { mkdirSync, openSync, closeSync, writeSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";

/** A file system of a few MB of its own, in memory. Needs root, or a sudo that asks nothing. */
export class SmallDisk {
  readonly path: string;

  constructor(path: string, megabytes: number) {
    this.path = path;
    mkdirSync(path, { recursive: true });
    asRoot(["mount", "-t", "tmpfs", "-o", `size=${megabytes}m,mode=0777`, "tmpfs", path]);
  }

  /** Takes all the room there is, to the last block. */
  fill(): void {
    const file = openSync(join(this.path, "filler"), "a");
    try {
      for (const size of [256 * 1024, 4_096]) {
        const block = new Uint8Array(size);
        try {
          for (;;) writeSync(file, block);
        } catch (error) {
          if (!(error instanceof Error) || !("code" in error) || error.code !== "ENOSPC") throw error;
        }
      }
    } finally {
      closeSync(file);
    }
  }

  /** Gives the room back. */
  relieve(): void {
    rmSync(join(this.path, "filler"), { force: true });
  }

  get freeBytes(): number {
    const { bavail, bsize } = statfsSync(this.path);
    return bavail * bsize;
  }

  unmount(): void {
    asRoot(["umount", "--lazy", this.path]);
  }
}

function asRoot(command: string[]): void {
  const argv = process.getuid?.() === 0 ? command : ["sudo", "-n", ...command];
  const { exitCode, stderr } = Bun.spawnSync(argv, { stdin: "ignore" });
  if (exitCode !== 0) throw new Error(`${argv.join(" ")} ended with ${exitCode}: ${stderr.toString()}`);
}
