import { hostname } from "node:os";
import { z } from "zod";
import type { Database, Trx } from "./db/schema.ts";
import type { Ids } from "./ids.ts";

/** This installation: what it is called and where it is reached. */
export interface Instance {
  /** Made once; proves to a probe that an address leads back here. Public. */
  readonly id: string;
  /** True when `RM_BASE_URL` decides the public address. */
  readonly baseUrlFixed: boolean;
  /** The public address without a trailing slash: `RM_BASE_URL`, else what set-up stored, else where we listen. */
  baseUrl(): Promise<string>;
  /** What the console's plate shows: the public address' host, or this machine's name before there is one. */
  name(): Promise<string>;
  /** Stores the public address; changes nothing where `RM_BASE_URL` decides. */
  setBaseUrl(trx: Trx, url: string): Promise<void>;
}

/**
 * Reads who we are, and makes the id at the first start.
 *
 * @param fixedBaseUrl `RM_BASE_URL`
 * @param listensAt asked when there is no other address; the port is known only once the server listens.
 */
export async function loadInstance(
  db: Database,
  ids: Ids,
  fixedBaseUrl: string | null,
  listensAt: () => string,
): Promise<Instance> {
  await db
    .insertInto("instance")
    .values({ key: "instance_id", value: ids.mint(z.string()) })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  const id = (await read(db, "instance_id")) ?? "";
  const storedBaseUrl = () => read(db, "base_url");
  return {
    id,
    baseUrlFixed: fixedBaseUrl !== null,
    async baseUrl() {
      return fixedBaseUrl ?? (await storedBaseUrl()) ?? listensAt();
    },
    async name() {
      const named = await read(db, "instance_name");
      if (named !== null) return named;
      const address = fixedBaseUrl ?? (await storedBaseUrl());
      return address === null ? hostname() : new URL(address).host;
    },
    async setBaseUrl(trx, url) {
      if (fixedBaseUrl !== null) return;
      await trx
        .insertInto("instance")
        .values({ key: "base_url", value: url })
        .onConflict((conflict) => conflict.column("key").doUpdateSet({ value: url }))
        .execute();
    },
  };
}

async function read(db: Database, key: string): Promise<string | null> {
  const row = await db.selectFrom("instance").select("value").where("key", "=", key).executeTakeFirst();
  return row?.value ?? null;
}
