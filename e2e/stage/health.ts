import { expect } from "bun:test";
import { formatBytes } from "../../console/format/bytes.ts";
import type { AppendOnlyRepository } from "./append-only.ts";
import type { ConsoleOnStage } from "./console.ts";
import { until } from "./until.ts";

/** What the Repository tab says in figures and words. */
interface Shown {
  size: string;
  snapshots: string;
  lastCheck: string;
  lastPrune: string;
  appendOnly: string;
  locks: string;
}

/** Reads the tab that is open. */
async function shownHealth({ page }: ConsoleOnStage): Promise<Shown> {
  const of = async (region: string, label: string) => {
    const pairs = page.getByRole("region", { name: region }).locator("dl > div");
    const pair = pairs.filter({ has: page.getByText(label, { exact: true }) });
    return (await pair.locator("dd").first().innerText()).trim();
  };
  return {
    size: await of("Health", "Size"),
    snapshots: await of("Health", "Snapshots"),
    lastCheck: await of("Health", "Last check"),
    lastPrune: await of("Health", "Last prune"),
    appendOnly: await of("Health", "Append-only"),
    locks: (await of("Connection", "Locks")).split(/ seen |\n/)[0] ?? "",
  };
}

/**
 * Opens the Repository tab and waits until size, snapshots, locks and the last check are what the restic CLI says now; what the CLI does not
 * know is as told, such as how it is said that there are no locks. The page gets there by itself, without a reload.
 */
export async function expectHealth(
  console: ConsoleOnStage,
  { repository, name, hostId }: { repository: AppendOnlyRepository; name: string; hostId: string },
  told: Pick<Shown, "lastCheck" | "lastPrune" | "appendOnly"> & { noLocks: string },
): Promise<void> {
  const ask = async (...args: string[]): Promise<unknown> =>
    JSON.parse(await repository.restic(name, [...args, "--json", "--no-lock"]));
  const listed = (await ask("snapshots")) as unknown[];
  const stats = (await ask("stats", "--mode", "raw-data")) as { total_size: number };
  const locks = (await repository.locks(name)).length;
  const { noLocks, ...rest } = told;
  const right = {
    ...rest,
    size: formatBytes(stats.total_size),
    snapshots: String(listed.length),
    locks: locks === 0 ? noLocks : `${locks} lock${locks === 1 ? "" : "s"}`,
  };
  await console.goto(`/hosts/${hostId}?tab=repository`);
  await console.page.getByRole("region", { name: "Health" }).waitFor();
  await until("the Repository tab says what the CLI says", async () => {
    expect(await shownHealth(console)).toEqual(right);
    return true;
  });
  if (told.lastCheck === "None yet" || locks > 0) return;
  const found = await checkByCli(repository, name);
  expect({ lastCheck: told.lastCheck, found }).toEqual({
    lastCheck:
      found.length === 0 ? "No errors" : `${found.length} broken ${found.length === 1 ? "pack" : "packs"}`,
    found,
  });
}

/** The packs that `restic check --read-data` calls broken. Throws with its words when it could not look. */
export async function checkByCli(repository: AppendOnlyRepository, name: string): Promise<string[]> {
  const child = repository.spawn(name, ["check", "--read-data", "--no-lock"]);
  const [out, err, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code === 0) return [];
  const packs = [...`${out}${err}`.matchAll(/\bpack ([0-9a-f]{64})\b/gi)].map(([, id = ""]) => id);
  if (packs.length === 0) throw new Error(`restic check ended with ${code}: ${err}`);
  return [...new Set(packs)];
}
