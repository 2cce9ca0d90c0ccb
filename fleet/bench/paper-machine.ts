import { encodeDurable } from "@restic-manager/protocol/frame";
import { ResticId, type HostId, type JobId } from "@restic-manager/protocol/ids";
import { encodeLogChunk } from "@restic-manager/protocol/log-chunk";
import type { DurableMessage } from "@restic-manager/protocol/messages";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import type { Connection } from "@restic-manager/server/link/connection";
import type { Link } from "@restic-manager/server/link/link";
import { instant, type Clock } from "@restic-manager/server/platform/clock";
import type { MadeChunk } from "./stored-log.ts";

/** Snapshots a machine keeps: what `--keep-daily 14 --keep-monthly 12` comes to. */
const SNAPSHOTS = 26;

/** A machine that exists only as what its agent would say: it connects, does what it is told at once, and goes. */
export class PaperMachine {
  readonly hostId: HostId;
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #logs: readonly MadeChunk[][];
  readonly #number: number;
  #seq = 0;
  #snapshots: Snapshot[] = [];
  #connection: Connection | undefined;
  #runs = 0;

  constructor(parts: {
    number: number;
    hostId: HostId;
    link: Link;
    clock: Clock;
    logs: readonly MadeChunk[][];
  }) {
    this.hostId = parts.hostId;
    this.#number = parts.number;
    this.#link = parts.link;
    this.#clock = parts.clock;
    this.#logs = parts.logs;
  }

  /** Connects and says hello. Whatever is sent from then on is answered at once. */
  connect(): void {
    const connection = this.#link.opened(
      this.hostId,
      {
        send: (text) => {
          this.#told(JSON.parse(text) as ServerMessage);
          return true;
        },
        close: () => undefined,
      },
      "192.0.2.7",
    );
    this.#connection = connection;
    this.#link.received(
      connection,
      JSON.stringify({
        type: "hello",
        protocol_version: 1,
        agent_version: "0.1.0",
        restic: { state: "ok", version: "0.18.0" },
        os: "linux",
        os_name: "Debian GNU/Linux 12 (bookworm)",
        arch: "x64",
        hostname: `paper-${this.#number}`,
        machine_id: String(this.#number),
        clock: this.#clock.now(),
        epoch: this.#number.toString(16).padStart(32, "0"),
        outbox: { lowest: this.#seq + 1, highest: this.#seq },
        jobs: [],
        config_version: 1,
      }),
    );
  }

  async leave(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) await this.#link.closed(connection);
  }

  #told(message: ServerMessage): void {
    if (message.type === "command.run") this.#backUp(message.job_id);
  }

  #backUp(jobId: JobId): void {
    const at = this.#clock.now();
    const run = this.#runs++;
    const mixed = this.#number * 31 + run;
    this.#say({ type: "job.accepted", job_id: jobId, at: instant(at) });
    this.#say({ type: "job.started", job_id: jobId, at: instant(at) });
    const log = this.#logs[mixed % this.#logs.length] ?? [];
    for (const { data, ...chunk } of log)
      this.#send(encodeLogChunk({ seq: ++this.#seq, job_id: jobId, ...chunk }, data));
    const failed = mixed % 53 === 0;
    const id = mixed.toString(16).padStart(16, "0").repeat(4);
    const summary = {
      files_new: mixed % 400,
      files_changed: 81,
      files_unmodified: 203_411,
      data_added: 640_679_936 + mixed,
      data_added_packed: 301_679_936 + mixed,
      total_files_processed: 203_500,
      total_bytes_processed: 91_640_679_936 + mixed,
    };
    const result = { ...summary, snapshot_id: id, dirs_new: 2, dirs_changed: 60, dirs_unmodified: 24_000 };
    this.#say({
      type: "job.finished",
      job_id: jobId,
      kind: "backup",
      started_at: instant(at),
      finished_at: instant(at),
      outcome: failed
        ? { state: "failed", error: { code: "repository_unreachable", message: "dial tcp: i/o timeout" } }
        : { state: "succeeded", result: { ...result, duration_seconds: 421.5, issue_count: 0, issues: [] } },
      log_lines: log.reduce((sum, chunk) => sum + chunk.count, 0),
    });
    if (!failed) this.#report(id, at, summary);
  }

  #report(id: string, at: number, summary: Omit<NonNullable<Snapshot["summary"]>, "duration_seconds">): void {
    const repository_id = ResticId.parse(this.#number.toString(16).padStart(64, "a"));
    const snapshot: Snapshot = {
      id: ResticId.parse(id),
      time: instant(at),
      tree: ResticId.parse(id),
      hostname: `paper-${this.#number}`,
      username: "root",
      tags: ["default"],
      paths: ["/etc", "/home", "/root", "/srv", "/var/lib"],
      paths_total: 5,
      program_version: "restic 0.18.0",
      summary: { ...summary, duration_seconds: 421.5 },
    };
    this.#snapshots = [...this.#snapshots, snapshot].slice(-SNAPSHOTS);
    const told = { repository_id, taken_at: instant(at) };
    this.#say({
      type: "snapshots.report",
      ...told,
      part: 0,
      parts: 1,
      snapshots: this.#snapshots,
    });
    this.#say({
      type: "repo.stats",
      ...told,
      total_size: 40_679_936_000 + at,
      snapshots_count: this.#snapshots.length,
    });
  }

  #say(message: DurableMessage): void {
    this.#send(encodeDurable(++this.#seq, message));
  }

  #send(frame: string | Uint8Array): void {
    const connection = this.#connection;
    // Not from within what the server is sending.
    if (connection !== undefined) queueMicrotask(() => this.#link.received(connection, frame));
  }
}
