import type { Database } from "bun:sqlite";

/** What the agent remembers about itself, one word each. */
export type MetaKey =
  | "epoch"
  | "highest_seq"
  | "report_due"
  | "repository_id"
  | "restic"
  | "host_id"
  | "hooks_of"
  | "hook_process";

/** Reads and writes the agent's single facts. */
export class Meta {
  readonly #read;
  readonly #write;

  constructor(db: Database) {
    this.#read = db.query<{ value: string }, [string]>("select value from meta where key = ?");
    this.#write = db.query<null, [string, string]>(
      "insert into meta (key, value) values (?, ?) on conflict (key) do update set value = excluded.value",
    );
  }

  get(key: MetaKey): string | undefined {
    return this.#read.get(key)?.value;
  }

  set(key: MetaKey, value: string): void {
    this.#write.run(key, value);
  }
}
