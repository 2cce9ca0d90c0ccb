import { copyFileSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openDatabase } from "@restic-manager/server/platform/db/open";
import type { BenchOptions } from "./bench.ts";
import { figure, type Figure } from "./figure.ts";
import { pagesCompared } from "./growth-pages.ts";
import { signIn, startServerProgram, type BenchServer } from "./server-program.ts";
import { liveThrough, type StoreSize } from "./simulated-days.ts";

const YEAR = 365;
const MONTH = 30;
/** Past the 400 days that jobs are kept, so that everything that is kept for a time has begun to go. */
const DAYS = 480;
/** Past the 90 days of logs; the pages of a fleet so old are as full as they will ever be. */
const EARLIER = 120;

/** A fleet's store over sixteen months of daily backups, and whether its pages got slower. */
export async function benchGrowth({ quick, say }: BenchOptions): Promise<Figure[]> {
  // On tmpfs: what is written is measured, not the disk that it is written to.
  const folder = mkdtempSync("/dev/shm/rm-bench-growth-");
  const hosts = quick ? 4 : 100;
  try {
    const sizes: StoreSize[] = [];
    const old = join(folder, "old.db");
    await liveThrough(old, { hosts, days: DAYS, every: MONTH }, (size) => {
      sizes.push(size);
      say(`  day ${size.day}: ${megabytes(size.bytes)} MB, ${megabytes(size.free)} MB of it free`);
    });
    const young = join(folder, "young.db");
    await liveThrough(young, { hosts, days: EARLIER, every: EARLIER }, () => undefined);
    const at = (day: number) => sizes.findLast((size) => size.day <= day)?.bytes ?? Number.NaN;
    const end = at(DAYS);
    return [
      figure("growth.store_after_16_months", {
        value: end / 1e6,
        unit: "MB",
        baseline: at(YEAR) / 1e6,
      }),
      // Of the year in which logs were there throughout and no job was old enough to go.
      figure("growth.per_host_and_year", { value: at(YEAR) / hosts / 1_000, unit: "KB" }),
      figure(
        "growth.last_month",
        { value: end / 1e6, unit: "MB", baseline: at(DAYS - MONTH) / 1e6 },
        { most: 1.02, of: "ratio" },
      ),
      ...(await comparePages(folder, young, old, quick ? 30 : 200, say)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);

async function comparePages(
  folder: string,
  young: string,
  old: string,
  rounds: number,
  say: (text: string) => void,
): Promise<Figure[]> {
  const servers: BenchServer[] = [];
  try {
    for (const file of [young, old]) servers.push(await serve(file, join(folder, `${servers.length}`)));
    const [before, after] = servers;
    if (before === undefined || after === undefined) throw new Error("two servers");
    return await pagesCompared(before, after, rounds, say);
  } finally {
    for (const server of servers) await server.stop();
  }
}

async function serve(file: string, folder: string): Promise<BenchServer> {
  const store = await openDatabase(`sqlite:${file}`);
  let cookie: string;
  try {
    cookie = await signIn(store.db);
  } finally {
    await store.close();
  }
  const served = `${file}.served`;
  copyFileSync(file, served);
  return startServerProgram(`sqlite:${served}`, folder, cookie);
}
