import { causeInWords } from "../hosts/causes.ts";
import { readError } from "../hosts/facts.ts";
import type { UpkeepTrouble } from "../hosts/upkeep-trouble.ts";
import type { HostId } from "@restic-manager/protocol/ids";
import { UPKEEP_KINDS } from "@restic-manager/protocol/api/maintenance";
import { jobKinds } from "@restic-manager/protocol/jobs";
import type { JobRecord, Trx } from "../platform/db/schema.ts";
import { newestRun, writeTrouble } from "./store.ts";

/**
 * Notes on the host what its maintenance says that somebody must see to. In the transaction that ended such a job, before the host is
 * refreshed.
 */
export async function noteTrouble(trx: Trx, hostId: HostId): Promise<void> {
  const good = await newestRun(trx, hostId, "check", "good");
  const judged = [];
  for (const kind of UPKEEP_KINDS) {
    const job = await newestRun(trx, hostId, kind, "judged");
    if (job !== undefined) judged.push(job);
  }
  const trouble = troubleOf(good, judged);
  await writeTrouble(trx, hostId, trouble === null ? null : JSON.stringify(trouble));
}

/**
 * @param check the last check that could look: one that failed since says nothing of the data.
 * @param judged the last forget, prune and check that succeeded or failed.
 */
export function troubleOf(
  check: Pick<JobRecord, "result" | "finished_at"> | undefined,
  judged: readonly Pick<JobRecord, "kind" | "state" | "error" | "finished_at">[],
): UpkeepTrouble | null {
  const found = jobKinds.check.result.safeParse(JSON.parse(check?.result ?? "null")).data;
  if (found?.result === "errors_found")
    return {
      sort: "damaged",
      code: "repository_damaged",
      message: `The last check found ${found.error_count === 1 ? "an error" : `${found.error_count} errors`} in the repository.`,
      at: check?.finished_at ?? 0,
    };
  const [latest] = judged
    .filter((job) => job.state === "failed")
    .toSorted((a, b) => (b.finished_at ?? 0) - (a.finished_at ?? 0));
  if (latest === undefined) return null;
  const { code } = readError(latest.error);
  return {
    sort: "failing",
    code,
    message: `The last ${latest.kind} failed: ${causeInWords(code)}.`,
    at: latest.finished_at ?? 0,
  };
}
