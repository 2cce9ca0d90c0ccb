import { lstatSync, statfsSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { RestoreItem } from "@restic-manager/restic/commands/restore";
import { nearest, realOf, statOf, type Destination } from "./target.ts";

/** What a restore is about to do, from a dry run's items. */
export interface Measured {
  /** By the disk: what is still to be written, and what is free there, in bytes. The tightest first. */
  space: { needed: number; free: number; at: string }[];
  /** Picked paths that the snapshot does not have. */
  missing: string[];
  /** A path of the agent's own that would be written over or deleted. */
  own: string | undefined;
}

/** Folders whose disk, or real path, is remembered; a million folders must not fill the memory. */
const FOLDERS_REMEMBERED = 10_000;

/**
 * Adds up a dry run. Sums are by disk, since in place files may lie on several; a file that is there counts with what it
 * grows by.
 */
export class Measure {
  readonly #destination: Destination;
  readonly #own: readonly string[];
  readonly #realOwn: readonly string[];
  readonly #realFolders = new Map<string, string>();
  readonly #unseen: Set<string>;
  readonly #devices = new Map<string, number>();
  readonly #needed = new Map<number, { needed: number; at: string }>();
  #touched: string | undefined;

  /** @param picked as the snapshot has them; empty when everything is. */
  constructor(parts: { destination: Destination; picked: readonly string[]; own: readonly string[] }) {
    this.#destination = parts.destination;
    this.#own = parts.own;
    this.#realOwn = parts.own.map(realOf);
    this.#unseen = new Set(parts.picked);
  }

  add({ action, path, size }: RestoreItem): void {
    // What is deleted is told with its path on the disk.
    const onDisk = action === "deleted" ? path : join(this.#destination.where, path);
    if (action !== "deleted") this.#see(path);
    if (action === "unchanged") return;
    if (this.#destination.inPlace && this.#touched === undefined) {
      const real = join(this.#realFolder(dirname(onDisk)), basename(onDisk));
      this.#touched = this.#own.find(
        (own, i) => reaches(onDisk, own, action) || reaches(real, this.#realOwn[i] ?? own, action),
      );
    }
    if (action === "deleted" || size === 0) return;
    const there = this.#destination.inPlace ? statOf(onDisk) : undefined;
    const grows = Math.max(0, size - (there?.isFile() === true ? there.size : 0));
    if (grows > 0) this.#need(onDisk, grows);
  }

  result(): Measured {
    const space = [...this.#needed.values()].map(({ needed, at }) => ({ needed, at, free: freeAt(at) }));
    return {
      space: space.toSorted((a, b) => a.free - a.needed - (b.free - b.needed)),
      missing: [...this.#unseen],
      own: this.#touched,
    };
  }

  /** restic writes through a link above what it restores, and over one in its place. */
  #realFolder(folder: string): string {
    let real = this.#realFolders.get(folder);
    if (real === undefined) {
      real = realOf(folder);
      if (this.#realFolders.size >= FOLDERS_REMEMBERED) this.#realFolders.clear();
      this.#realFolders.set(folder, real);
    }
    return real;
  }

  #need(onDisk: string, bytes: number): void {
    const folder = this.#destination.inPlace ? dirname(onDisk) : this.#destination.where;
    let device = this.#devices.get(folder);
    if (device === undefined) {
      const place = nearest(folder);
      device = lstatSync(place).dev;
      if (this.#devices.size >= FOLDERS_REMEMBERED) this.#devices.clear();
      this.#devices.set(folder, device);
      if (!this.#needed.has(device)) this.#needed.set(device, { needed: 0, at: place });
    }
    const sum = this.#needed.get(device);
    if (sum !== undefined) sum.needed += bytes;
  }

  /** A picked folder is seen with anything in it: restic does not tell of every folder by itself. */
  #see(path: string): void {
    if (this.#unseen.size === 0) return;
    for (let at = path; ; at = at.slice(0, at.lastIndexOf("/"))) {
      this.#unseen.delete(at);
      if (at.lastIndexOf("/") <= 0) return;
    }
  }
}

function freeAt(path: string): number {
  const { bavail, bsize } = statfsSync(path);
  return bavail * bsize;
}

/** A folder that is written over keeps what is in it; one that is deleted does not. */
function reaches(onDisk: string, own: string, action: RestoreItem["action"]): boolean {
  return (
    onDisk.startsWith(`${own}/`) || (action === "deleted" && (onDisk === own || own.startsWith(`${onDisk}/`)))
  );
}
