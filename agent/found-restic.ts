import { statSync } from "node:fs";
import { ResticFound } from "@restic-manager/protocol/restic-found";
import { findRestic, locateRestic, type ResticBinary } from "@restic-manager/restic/binary";
import type { Timers } from "@restic-manager/restic/timers";
import { z } from "zod";
import type { Meta } from "./meta.ts";

/** What `restic version` said of one very file; asked again when the file changes. */
const Remembered = z.object({ path: z.string(), stamp: z.string(), found: ResticFound });

export interface FoundResticParts {
  meta: Meta;
  /** Used as it is when set; from `agent.yaml`. */
  path: string | undefined;
  /** Where to look otherwise, in the form of PATH. */
  searchPath: string;
  tmpDir: string;
  timers: Timers;
}

/**
 * Knows this machine's restic. Its version is remembered with the file's time and size, so that a start costs no run of it, and a
 * new restic is noticed at the next look.
 */
export class FoundRestic {
  readonly #parts: FoundResticParts;
  #binary: ResticBinary = { state: "missing" };

  constructor(parts: FoundResticParts) {
    this.#parts = parts;
  }

  get binary(): ResticBinary {
    return this.#binary;
  }

  /** What `hello` says. */
  get found(): ResticFound {
    const { state } = this.#binary;
    return state === "missing" ? { state } : { state, version: this.#binary.version };
  }

  /** Looks again. True when something else was found than before. */
  async look(): Promise<boolean> {
    const before = JSON.stringify(this.#binary);
    this.#binary = await this.#find();
    return JSON.stringify(this.#binary) !== before;
  }

  async #find(): Promise<ResticBinary> {
    const { meta, path, searchPath, tmpDir, timers } = this.#parts;
    const where = { ...(path === undefined ? {} : { path }), searchPath };
    const program = locateRestic(where);
    const stamp = program === undefined ? undefined : stampOf(program);
    if (program === undefined || stamp === undefined) return { state: "missing" };
    const known = remembered(meta.get("restic"));
    if (known?.path === program && known.stamp === stamp && known.found.state !== "missing") {
      const { state, version } = known.found;
      return state === "ok" ? { state, version, path: program } : { state, version };
    }
    const binary = await findRestic({ ...where, tmpDir, timers });
    if (binary.state !== "missing") {
      const found = { state: binary.state, version: binary.version };
      try {
        meta.set("restic", JSON.stringify({ path: program, stamp, found }));
      } catch {
        // Only a saving: on a full disk restic is asked again at the next start.
      }
    }
    return binary;
  }
}

function stampOf(program: string): string | undefined {
  const stats = statSync(program, { throwIfNoEntry: false });
  return stats === undefined ? undefined : `${stats.ino}:${stats.size}:${stats.mtimeMs}`;
}

function remembered(text: string | undefined): z.infer<typeof Remembered> | undefined {
  if (text === undefined) return undefined;
  try {
    return Remembered.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}
