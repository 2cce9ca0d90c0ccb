import { sql } from "kysely";
import { SourceGroupId } from "@restic-manager/protocol/ids";
import { openDatabase, type OpenStore } from "@restic-manager/server/platform/db/open";
import { sweepAll } from "@restic-manager/server/retention/sweep";
import { testClock } from "@restic-manager/server/testing/clock";
import { addHost, newHostId } from "@restic-manager/server/testing/rows";
import { fail, shippedBrooms, startCore } from "./paper-core.ts";
import { PaperMachine } from "./paper-machine.ts";
import { madeLog } from "./stored-log.ts";
import { LINES_A_JOB } from "./stored-fleet.ts";

export const DAY_MS = 24 * 3600_000;
/** Ticks of retention a day; more would find nothing more to do. */
const TICKS = 4;
const LOGS = 32;

/** What the store took at the end of a day. */
export interface StoreSize {
  day: number;
  /** The file as it is; and of it, pages that are free for what comes next. */
  bytes: number;
  free: number;
}

/**
 * Lives through `days` days of `hosts` machines on an SQLite store, the last of which ends now: each machine connects, backs up with a
 * 300-line log, reports its snapshots and sizes, and leaves. All of it through the server's own link and ingest, with retention as
 * it is shipped; only the clock is fast.
 */
export async function liveThrough(
  file: string,
  { hosts, days, every }: { hosts: number; days: number; every: number },
  onSize: (size: StoreSize) => void,
): Promise<void> {
  const store = await openDatabase(`sqlite:${file}`);
  const { db } = store;
  const clock = testClock(Date.now() - days * DAY_MS);
  const core = startCore(db, clock);
  const kept = shippedBrooms(db);
  const logs = Array.from({ length: LOGS }, (_, n) => madeLog(LINES_A_JOB, n, clock.now()));
  try {
    const machines: PaperMachine[] = [];
    for (let number = 1; number <= hosts; number++) {
      const hostId = newHostId();
      await addHost(db, { id: hostId, name: `paper-${number}`, online: 0, created_at: clock.now() });
      machines.push(new PaperMachine({ number, hostId, link: core.link, clock, logs }));
    }
    for (let day = 1; day <= days; day++) {
      for (const machine of machines) machine.connect();
      await core.link.settled();
      for (const { hostId } of machines) {
        const job = await db.transaction().execute((trx) =>
          core.createJob(trx, {
            kind: "backup",
            hostId,
            input: INPUT,
            actor: { kind: "schedule", id: null, name: "nightly" },
            sourceGroup: { id: INPUT.source_group_id, name: INPUT.source_group_name },
          }),
        );
        core.announceJob(hostId, job.id);
      }
      // What a machine answers is taken a moment later.
      for (let turn = 0; turn < 3; turn++) {
        await core.link.settled();
        await new Promise((resolve) => setImmediate(resolve));
      }
      for (const machine of machines) await machine.leave();
      for (let tick = 0; tick < TICKS; tick++) {
        clock.jump(DAY_MS / TICKS);
        await core.link.settled();
        await sweepAll(kept, clock.now(), fail);
      }
      if (day % every === 0 || day === days) onSize({ day, ...(await sizeOf(store)) });
    }
  } finally {
    await core.link.stop();
    await store.close();
  }
}

const INPUT = {
  source_group_id: SourceGroupId.parse("01JD0000000000000000000000"),
  source_group_name: "default",
  includes: ["/etc", "/home", "/root", "/srv", "/var/lib"],
  excludes: ["/var/lib/docker", "*.tmp"],
};

async function sizeOf({ db }: OpenStore): Promise<Omit<StoreSize, "day">> {
  const one = async (pragma: string) => {
    const { rows } = await sql<Record<string, number>>`${sql.raw(`pragma ${pragma}`)}`.execute(db);
    return Object.values(rows[0] ?? {})[0] ?? 0;
  };
  const page = await one("page_size");
  return { bytes: (await one("page_count")) * page, free: (await one("freelist_count")) * page };
}
