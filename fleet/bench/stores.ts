import { SQL } from "bun";
import { join } from "node:path";
import { startPostgres } from "@restic-manager/server/testing/postgres-cluster";
import type { Figure } from "./figure.ts";

/** Gives the address of a fresh, empty database. */
export type StoreUrl = (name: string) => Promise<string>;

/** The same measurement on SQLite, with files in `folder`, and on a PostgreSQL of the benchmark's own. */
export async function onBothStores(
  folder: string,
  measure: (kind: "sqlite" | "postgres", urlOf: StoreUrl) => Promise<Figure[]>,
): Promise<Figure[]> {
  const figures = await measure("sqlite", async (name) => `sqlite:${join(folder, `${name}.db`)}`);
  const cluster = await startPostgres();
  const admin = new SQL(cluster.url, { max: 1 });
  try {
    const more = await measure("postgres", async (name) => {
      await admin.unsafe(`create database bench_${name}`);
      const url = new URL(cluster.url);
      url.pathname = `/bench_${name}`;
      return url.href;
    });
    return [...figures, ...more];
  } finally {
    await admin.close();
    await cluster.stop();
  }
}
