import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome, ResticError } from "../error.ts";
import { execute } from "../execute.ts";

export type PruneInput = {
  /** Removes nothing; the result is the plan. */
  dryRun?: boolean;
  /** restic's limit of unused space that may stay: `5%`, `200M`, `unlimited`; `5%` when left out. */
  maxUnused?: string;
  retryLockSeconds?: number;
};

/** Sizes in bytes, exact to the three decimals of restic's units. What restic did not print is left out. */
export type PruneResult = {
  /** Taken off the repository; in a dry run, what would be. */
  freed_bytes?: number;
  freed_blobs?: number;
  /** Written anew to get at what was unused in between. */
  repacked_bytes?: number;
  remaining_bytes?: number;
  unused_bytes_left?: number;
  dry_run: boolean;
};

/** Without `--json` and `--quiet`: 0.18 and 0.19 tell the sizes in words only. */
export function pruneArgs({ dryRun, maxUnused }: PruneInput): string[] {
  return [
    "prune",
    ...(dryRun === true ? ["--dry-run", "--no-lock"] : []),
    ...(maxUnused === undefined ? [] : [`--max-unused=${maxUnused}`]),
  ];
}

type PruneFigure = keyof Omit<PruneResult, "dry_run">;

const lines: [RegExp, PruneFigure, PruneFigure?][] = [
  [/^total prune:\s+(\d+) blobs \/ ([\d.]+ \w+)$/, "freed_bytes", "freed_blobs"],
  [/^to repack:\s+(\d+) blobs \/ ([\d.]+ \w+)$/, "repacked_bytes"],
  [/^remaining:\s+(\d+) blobs \/ ([\d.]+ \w+)$/, "remaining_bytes"],
  [/^unused size after prune:()\s+([\d.]+ \w+)/, "unused_bytes_left"],
];

/** The figures on one line of prune's text; empty for any other line. */
export function parsePruneLine(text: string): Omit<PruneResult, "dry_run"> {
  for (const [pattern, size, count] of lines) {
    const [, blobs, printed] = pattern.exec(text) ?? [];
    const bytes = parseSize(printed ?? "");
    if (bytes === undefined) continue;
    return { [size]: bytes, ...(count === undefined ? {} : { [count]: Number(blobs) }) };
  }
  return {};
}

const units: Record<string, number | undefined> = { B: 0, KiB: 1, MiB: 2, GiB: 3, TiB: 4, PiB: 5, EiB: 6 };

/** `5.001 MiB` in bytes; undefined for what is no size. */
export function parseSize(text: string): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ([KMGTPE]?i?B)$/.exec(text) ?? [];
  const power = units[unit ?? ""];
  return amount === undefined || power === undefined ? undefined : Math.round(Number(amount) * 1024 ** power);
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkPruneInput({ maxUnused }: PruneInput): ResticError | undefined {
  if (maxUnused === undefined || /^(unlimited|\d{1,15}[KMGT]?|\d{1,3}(\.\d{1,6})?%)$/.test(maxUnused))
    return undefined;
  return { code: "invalid_input", message: "the unused space that may stay is like 5%, 200M or unlimited" };
}

/**
 * Frees what no snapshot needs. Holds an exclusive lock: nothing else can work on the repository meanwhile. Through an append-only
 * server it is `append_only`, and leaves an index file more with each try.
 */
export async function prune(
  context: ResticContext,
  input: PruneInput = {},
  hooks: Hooks = {},
): Promise<Outcome<PruneResult>> {
  const invalid = checkPruneInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const { dryRun = false, retryLockSeconds } = input;
  const result: PruneResult = { dry_run: dryRun };
  const { error } = await execute(
    context,
    {
      args: pruneArgs(input),
      kind: dryRun ? "read" : "write",
      ...(retryLockSeconds === undefined || dryRun ? {} : { retryLockSeconds }),
      onLine(stream, { text }) {
        if (stream === "stdout") Object.assign(result, parsePruneLine(text));
        return false;
      },
    },
    hooks,
  );
  // The figures are printed before anything is removed: they count only after a good end.
  return error === undefined ? { ok: true, value: result } : { ok: false, error };
}
