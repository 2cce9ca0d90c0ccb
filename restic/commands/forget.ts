import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import { documentCollector, maxDocumentBytes } from "../document.ts";
import { appendOnly, type Outcome, type ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { repositoryAddress } from "../repository-url.ts";
import { checkWholeSnapshotId } from "./snapshot-id.ts";
import { snapshot } from "./snapshots.ts";

/** How many snapshots to keep of each kind; zero is the same as not given. */
export type KeepCounts = {
  keep_last?: number;
  hourly?: number;
  daily?: number;
  weekly?: number;
  monthly?: number;
  yearly?: number;
};

type AtLeastOne<T> = { [K in keyof T]-?: Required<Pick<T, K>> & Partial<T> }[keyof T];

/** At least one count above zero: a policy that keeps nothing would delete everything. From `keepPolicy`. */
export type KeepPolicy = AtLeastOne<Required<KeepCounts>>;

const keepOptions = {
  keep_last: "--keep-last",
  hourly: "--keep-hourly",
  daily: "--keep-daily",
  weekly: "--keep-weekly",
  monthly: "--keep-monthly",
  yearly: "--keep-yearly",
} as const satisfies Record<keyof KeepCounts, string>;

/** The policy in these counts; undefined when they keep nothing or hold what is no count. */
export function keepPolicy(counts: KeepCounts): KeepPolicy | undefined {
  const given = Object.keys(keepOptions).map((name) => counts[name as keyof KeepCounts] ?? 0);
  if (given.some((n) => !Number.isSafeInteger(n) || n < 0) || given.every((n) => n === 0)) return undefined;
  return counts as KeepPolicy;
}

export type ForgetInput = {
  /** The host name that the snapshots carry. Both filters are required: the repository may be others' as well. */
  host: string;
  /** The tag that the snapshots carry: the source group's name. */
  tag: string;
  keep: KeepPolicy;
  /** Removes nothing; the result is the plan. Takes no lock. */
  dryRun?: boolean;
  /** How long restic may wait for another's lock; not at all when left out. */
  retryLockSeconds?: number;
};

/** A snapshot in a plan. `time` as restic wrote it, with its zone. */
export const forgetSnapshot = snapshot.pick({
  id: true,
  time: true,
  hostname: true,
  tags: true,
  paths: true,
  summary: true,
});
export type ForgetSnapshot = z.infer<typeof forgetSnapshot>;

export type ForgetResult = {
  /** With restic's words for why, such as `last snapshot`, `daily snapshot`. */
  kept: (ForgetSnapshot & { reasons: string[] })[];
  /** What is gone; in a dry run, what would go. */
  removed: ForgetSnapshot[];
  /** Ids that should have gone and did not, for another reason than an append-only server. */
  not_removed: string[];
  dry_run: boolean;
};

const list = z
  .array(forgetSnapshot)
  .nullish()
  .transform((snapshots) => snapshots ?? []);

/** restic's answer: one entry per group of snapshots. */
export const forgetDocument = z.array(
  z.object({
    keep: list,
    remove: list,
    reasons: z
      .array(
        z.object({
          snapshot: z.object({ id: z.string() }),
          matches: z
            .array(z.string())
            .nullish()
            .transform((matches) => matches ?? []),
        }),
      )
      .nullish()
      .transform((reasons) => reasons ?? []),
  }),
);

/**
 * The command line. Grouped by host alone: with restic's own grouping by host and paths, a source group whose folders were changed would
 * keep the snapshots of the former folders for ever.
 */
export function forgetArgs({ host, tag, keep, dryRun }: ForgetInput): string[] {
  const counts: KeepCounts = keep;
  return [
    "forget",
    "--json",
    ...(dryRun === true ? ["--dry-run", "--no-lock"] : []),
    "--group-by=host",
    `--host=${host}`,
    `--tag=${tag}`,
    ...Object.entries(keepOptions).flatMap(([name, option]) => {
      const count = counts[name as keyof KeepCounts] ?? 0;
      return count > 0 ? [`${option}=${count}`] : [];
    }),
  ];
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkForgetInput({ host, tag, keep }: ForgetInput): ResticError | undefined {
  const invalid = (message: string): ResticError => ({ code: "invalid_input", message });
  if (host === "") return invalid("the host name is empty");
  // restic would read two tags, or none at all.
  if (tag === "" || tag.includes(",")) return invalid("the tag is empty or contains a comma");
  if (keepPolicy(keep) === undefined) {
    return invalid("the retention policy keeps nothing; it would remove every snapshot");
  }
  return undefined;
}

/**
 * Forgets the snapshots of one host and tag that the policy does not keep. Data is freed by `prune` alone. Through an append-only server
 * it is `append_only`, although 0.18 says that all went well.
 */
export async function forget(
  context: ResticContext,
  input: ForgetInput,
  hooks: Hooks = {},
): Promise<Outcome<ForgetResult>> {
  const invalid = checkForgetInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const { retryLockSeconds } = input;
  const document = documentCollector("forget", forgetDocument);
  const removals = removalWatcher();
  const { error, evidence, redact } = await execute(
    context,
    {
      args: forgetArgs(input),
      kind: input.dryRun === true ? "read" : "write",
      maxStdoutLineBytes: maxDocumentBytes,
      ...(retryLockSeconds === undefined || input.dryRun === true ? {} : { retryLockSeconds }),
      onLine(stream, line) {
        if (stream === "stdout") return document.add(line);
        removals.add(line.text);
        return false;
      },
    },
    hooks,
  );
  const outcome = endOfForget(context, error, evidence.removalRefused, removals);
  if (outcome !== undefined) return { ok: false, error: outcome };
  // No snapshot of that host and tag: 0.18 and 0.19 print nothing at all.
  const parsed = document.isEmpty() ? { ok: true as const, value: [] } : document.parse(redact);
  if (!parsed.ok) return parsed;
  return { ok: true, value: resultOf(parsed.value, removals.failed, input.dryRun === true) };
}

/** Turns restic's groups into one result. */
export function resultOf(
  groups: z.infer<typeof forgetDocument>,
  failed: ReadonlySet<string>,
  dryRun: boolean,
): ForgetResult {
  const reasons = new Map(groups.flatMap((group) => group.reasons).map((r) => [r.snapshot.id, r.matches]));
  return {
    kept: groups.flatMap((group) => group.keep).map((s) => ({ ...s, reasons: reasons.get(s.id) ?? [] })),
    removed: groups.flatMap((group) => group.remove).filter((s) => !failed.has(s.id)),
    not_removed: [...failed],
    dry_run: dryRun,
  };
}

export type ForgetGroup = { tag: string; keep: KeepPolicy };

/**
 * Forgets group after group, one restic each. Ends with the first error; `done` has what was finished before it.
 */
export async function forgetGroups(
  context: ResticContext,
  { groups, ...common }: Omit<ForgetInput, "tag" | "keep"> & { groups: readonly ForgetGroup[] },
  hooks: Hooks = {},
): Promise<{ done: (ForgetResult & { tag: string })[]; error?: ResticError }> {
  const inputs = groups.map((group) => ({ ...common, ...group }));
  // Nothing is removed for one group when the next one's policy is a mistake.
  const invalid = inputs.map(checkForgetInput).find((error) => error !== undefined);
  if (invalid !== undefined) return { done: [], error: invalid };
  const done: (ForgetResult & { tag: string })[] = [];
  for (const input of inputs) {
    const outcome = await forget(context, input, hooks);
    if (!outcome.ok) return { done, error: outcome.error };
    done.push({ tag: input.tag, ...outcome.value });
  }
  return { done };
}

export type ForgetSnapshotsInput = { /** Whole ids. */ ids: readonly string[]; retryLockSeconds?: number };

export type ForgetSnapshotsResult = { removed: string[]; not_found: string[]; not_removed: string[] };

/** What fits on a command line with room to spare. */
export const maxForgetIds = 10_000;

/** Forgets exactly these snapshots. Ids that are not there are told, not an error. */
export async function forgetSnapshots(
  context: ResticContext,
  { ids, retryLockSeconds }: ForgetSnapshotsInput,
  hooks: Hooks = {},
): Promise<Outcome<ForgetSnapshotsResult>> {
  // Without an id it would be a policy's forget, of everybody's snapshots.
  const message = `1 to ${maxForgetIds} snapshots can be forgotten at a time`;
  const invalid =
    ids.length === 0 || ids.length > maxForgetIds
      ? { code: "invalid_input" as const, message }
      : ids.map(checkWholeSnapshotId).find((error) => error !== undefined);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const removals = removalWatcher();
  const { error, evidence } = await execute(
    context,
    {
      args: ["forget", "--json", ...ids],
      kind: "write",
      ...(retryLockSeconds === undefined ? {} : { retryLockSeconds }),
      onLine(stream, { text }) {
        if (stream === "stderr") removals.add(text);
        return false;
      },
    },
    hooks,
  );
  const ended = endOfForget(context, error, evidence.removalRefused, removals);
  if (ended !== undefined) return { ok: false, error: ended };
  const { failed, missing } = removals;
  return {
    ok: true,
    value: {
      removed: [...new Set(ids)].filter((id) => !failed.has(id) && !missing.has(id)),
      not_found: [...missing],
      not_removed: [...failed],
    },
  };
}

export type RemovalWatcher = {
  add(line: string): void;
  readonly failed: ReadonlySet<string>;
  readonly missing: ReadonlySet<string>;
};

/** Reads on standard error which snapshots stayed: 0.18 ends with 0 nevertheless, and its answer is only the plan. */
export function removalWatcher(): RemovalWatcher {
  const failed = new Set<string>();
  const missing = new Set<string>();
  return {
    failed,
    missing,
    add(line) {
      const stayed = /^unable to remove snapshot\/([0-9a-f]{64}) from the repository/.exec(line)?.[1];
      if (stayed !== undefined) failed.add(stayed);
      const unknown = /^Ignoring "([0-9a-f]{64})": no matching ID found/.exec(line)?.[1];
      if (unknown !== undefined) missing.add(unknown);
    },
  };
}

function endOfForget(
  context: ResticContext,
  error: ResticError | undefined,
  refused: boolean,
  removals: RemovalWatcher,
): ResticError | undefined {
  if (error?.code === "interrupted") return error;
  if (refused) return appendOnly(repositoryAddress(context.access.url));
  // 0.19 ends with 3 when a snapshot stayed; that is in the result.
  return error?.code === "incomplete" && removals.failed.size > 0 ? undefined : error;
}
