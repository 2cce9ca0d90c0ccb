import { reportMessages } from "@restic-manager/agent/report";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { Snapshot } from "@restic-manager/restic/commands/snapshots";
import { SIMULATED_GROUP, type Identity } from "./identity.ts";
import type { Story } from "./story.ts";

/** What a simulated machine's repository holds, as restic would list it. */
export class SimulatedRepository {
  readonly #identity: Identity;
  readonly #most: number;
  #snapshots: Snapshot[] = [];
  #size = 0;

  /** @param most snapshots that it keeps. */
  constructor(identity: Identity, most: number) {
    this.#identity = identity;
    this.#most = most;
  }

  /** Saves a snapshot. Instants in milliseconds since 1970. */
  save(story: Story, began: number, ended: number): void {
    const { new: files_new, changed: files_changed, unmodified: files_unmodified } = story.files;
    const parent = this.#snapshots.at(-1)?.id;
    this.#size += story.packed;
    this.#snapshots.push({
      id: story.snapshotId,
      short_id: story.snapshotId.slice(0, 8),
      time: new Date(began).toISOString(),
      tree: story.snapshotId.slice(32) + story.snapshotId.slice(0, 32),
      ...(parent === undefined ? {} : { parent }),
      hostname: this.#identity.name,
      username: "root",
      paths: [...SIMULATED_GROUP.includes],
      excludes: [...SIMULATED_GROUP.excludes],
      tags: [SIMULATED_GROUP.name],
      program_version: "restic 0.18.0",
      summary: {
        backup_start: new Date(began).toISOString(),
        backup_end: new Date(ended).toISOString(),
        files_new,
        files_changed,
        files_unmodified,
        dirs_new: 0,
        dirs_changed: 1,
        dirs_unmodified: 9,
        data_blobs: files_new + files_changed,
        tree_blobs: 2,
        data_added: story.added,
        data_added_packed: story.packed,
        total_files_processed: files_new + files_changed + files_unmodified,
        total_bytes_processed: story.bytes,
      },
    });
    if (this.#snapshots.length > this.#most) this.#snapshots = this.#snapshots.slice(-this.#most);
  }

  /** What the agent tells the server of it. */
  report(now: number): DurableMessage[] {
    return reportMessages(this.#identity.repositoryId, now, this.#snapshots, {
      total_size: this.#size,
      total_uncompressed_size: this.#size * 2,
      total_blob_count: this.#snapshots.length * 100,
      snapshots_count: this.#snapshots.length,
    });
  }
}
