import { z } from "zod";
import type { Hooks, ResticContext } from "../context.ts";
import type { Outcome, ResticError } from "../error.ts";
import { execute } from "../execute.ts";
import { firstLine, parseMessage } from "../message.ts";
import { redactorFor, type Redact } from "../redact.ts";

export type CheckInput = {
  /**
   * How much of the data to read besides the structure: without it flipped bytes in a pack are not seen. Percent picks at random; parts
   * take turns (1 of 7, 2 of 7, …), so that all is read once after the last.
   */
  readData?: { percent: number } | { part: number; of: number };
  retryLockSeconds?: number;
};

/** What to do next, as far as restic's answer tells. */
export type CheckHint = "repair_index" | "repair_packs" | "repair_snapshots" | "prune";

export type CheckResult =
  | { result: "ok"; hints: CheckHint[] }
  | {
      result: "errors_found";
      errors: number;
      /** Ids of packs with damaged data. */
      broken_packs: string[];
      missing_packs: string[];
      broken_indexes: string[];
      /** As restic names them, whole or the first 8 characters. */
      broken_trees: string[];
      broken_snapshots: string[];
      /** restic's own words, at most 200 lines. */
      messages: string[];
      message_count: number;
      hints: CheckHint[];
      /** The repository did not always answer meanwhile: check once more before raising an alarm. */
      doubtful: boolean;
    };

/** The command line. */
export function checkArgs({ readData }: CheckInput): string[] {
  return ["check", "--json", ...readDataArgs(readData)];
}

function readDataArgs(readData: CheckInput["readData"]): string[] {
  if (readData === undefined) return [];
  if ("part" in readData) return [`--read-data-subset=${readData.part}/${readData.of}`];
  if (readData.percent === 0) return [];
  return [readData.percent === 100 ? "--read-data" : `--read-data-subset=${readData.percent}%`];
}

/** Why this cannot be given to restic; undefined if it can. */
export function checkCheckInput({ readData }: CheckInput): ResticError | undefined {
  if (readData === undefined) return undefined;
  if ("part" in readData) {
    const { part, of } = readData;
    if (Number.isInteger(part) && Number.isInteger(of) && part >= 1 && part <= of && of <= 256)
      return undefined;
    return { code: "invalid_input", message: "a part of the data is 1 to n of n, with n at most 256" };
  }
  if (readData.percent >= 0 && readData.percent <= 100) return undefined;
  return { code: "invalid_input", message: "the share of the data to read is 0 to 100 percent" };
}

const summary = z.object({
  num_errors: z.number().int().nonnegative().catch(0),
  broken_packs: z.array(z.string()).nullish().catch(null),
  suggest_repair_index: z.boolean().catch(false),
  suggest_prune: z.boolean().catch(false),
});

const maxMessages = 200;
const maxIds = 10_000;

export type CheckOutput = {
  /** Takes a line of either stream. */
  add(stream: "stdout" | "stderr", text: string): void;
  /** What check found, once it has ended as `error` says. Whatever is no damage stays an error. */
  result(error: ResticError | undefined, retried: boolean): Outcome<CheckResult>;
};

/** Reads check's output. Its `num_errors` says nothing alone: it is 1 as well when the repository was locked. */
export function checkOutput(redact: Redact): CheckOutput {
  const ids = {
    broken_packs: new Set<string>(),
    missing_packs: new Set<string>(),
    broken_indexes: new Set<string>(),
    broken_trees: new Set<string>(),
    broken_snapshots: new Set<string>(),
  };
  const messages: string[] = [];
  let messageCount = 0;
  let found: z.infer<typeof summary> | undefined;

  const note = (kind: keyof typeof ids, id: string | undefined): void => {
    if (id !== undefined && ids[kind].size < maxIds) ids[kind].add(id);
  };
  const addMessage = (whole: string): void => {
    for (const text of whole.split("\n")) {
      note("broken_packs", /^pack ([0-9a-f]{64}) contains \d+ errors/.exec(text)?.[1]);
      note("missing_packs", /^pack ([0-9a-f]{64}): does not exist/.exec(text)?.[1]);
      note("broken_packs", /^pack ([0-9a-f]{64}): (?!does not exist)(?!not referenced)/.exec(text)?.[1]);
      note("broken_indexes", /error loading index ([0-9a-f]{64})/.exec(text)?.[1]);
      note("broken_trees", /error for tree ([0-9a-f]{8,64})/.exec(text)?.[1]);
      note("broken_snapshots", /failed to load snapshot ([0-9a-f]{8,64})/.exec(text)?.[1]);
    }
    const words = redact(firstLine(whole));
    // Advice that follows the findings; ours is in `hints`.
    if (words === "" || /^(The repository|restic repair|Damaged pack files can)/.test(words)) return;
    messageCount++;
    if (messages.length < maxMessages) messages.push(words);
  };

  const hints = (): CheckHint[] => {
    const { broken_packs, missing_packs, broken_trees, broken_snapshots, broken_indexes } = ids;
    const noIndex = found?.suggest_prune === true && broken_trees.size > 0;
    return [
      // restic suggests prune when all index files are gone, which would be the end of the data.
      ...(found?.suggest_repair_index === true || broken_indexes.size + missing_packs.size > 0 || noIndex
        ? (["repair_index"] as const)
        : []),
      ...(broken_packs.size > 0 ? (["repair_packs"] as const) : []),
      ...(broken_packs.size + missing_packs.size + broken_snapshots.size > 0 ||
      (broken_trees.size > 0 && !noIndex)
        ? (["repair_snapshots"] as const)
        : []),
    ];
  };

  return {
    add(stream, text) {
      const message = parseMessage(text);
      if (stream === "stdout" && message?.message_type === "summary") found = summary.parse(message);
      if (
        stream === "stderr" &&
        message?.message_type === "error" &&
        typeof message["message"] === "string"
      ) {
        addMessage(message["message"]);
      }
    },
    result(error, retried) {
      if (error === undefined) {
        if (found === undefined) {
          const message = "restic check ended without a summary";
          return { ok: false, error: { code: "failed", message, exitCode: 0, signal: null } };
        }
        return { ok: true, value: { result: "ok", hints: found.suggest_prune ? ["prune"] : [] } };
      }
      if (error.code !== "repository_damaged") return { ok: false, error };
      for (const pack of found?.broken_packs ?? []) note("broken_packs", pack);
      const own = messages.length === 0 ? [error.message] : messages;
      return {
        ok: true,
        value: {
          result: "errors_found",
          errors: Math.max(1, found?.num_errors ?? 0),
          broken_packs: [...ids.broken_packs],
          missing_packs: [...ids.missing_packs],
          broken_indexes: [...ids.broken_indexes],
          broken_trees: [...ids.broken_trees],
          broken_snapshots: [...ids.broken_snapshots],
          messages: own,
          message_count: Math.max(messageCount, own.length),
          hints: hints(),
          doubtful: retried,
        },
      };
    },
  };
}

/**
 * Checks the repository. Damage is a result, not an error: an error says that it could not be checked. Holds an exclusive lock.
 */
export async function check(
  context: ResticContext,
  input: CheckInput = {},
  hooks: Hooks = {},
): Promise<Outcome<CheckResult>> {
  const invalid = checkCheckInput(input);
  if (invalid !== undefined) return { ok: false, error: invalid };
  const { retryLockSeconds } = input;
  const redact = redactorFor(context.access);
  const output = checkOutput(redact);
  const { error, evidence } = await execute(
    context,
    {
      args: checkArgs(input),
      kind: "write",
      ...(retryLockSeconds === undefined ? {} : { retryLockSeconds }),
      onLine(stream, { text }) {
        output.add(stream, text);
        return false;
      },
    },
    hooks,
  );
  return output.result(error, evidence.retryCause !== undefined || evidence.failedCause !== undefined);
}
