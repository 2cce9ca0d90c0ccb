import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { collectEvidence } from "../evidence.ts";
import { lineSplitter } from "../lines.ts";
import type { ExitFacts } from "../run.ts";

export const recordedVersions = ["0.18", "0.19"] as const;
export type RecordedVersion = (typeof recordedVersions)[number];

/** What one recorded run of restic printed and how it ended. */
export type Recorded = { stdout: string[]; stderr: string[]; code: number };

/** Reads `recorded/<version>/<name>.*`, through the same line splitter as a real run. */
export function recorded(version: RecordedVersion | "0.14", name: string): Recorded {
  const file = (ending: string): string =>
    join(import.meta.dirname, "..", "recorded", version, `${name}.${ending}`);
  return {
    stdout: linesOf(file("stdout")),
    stderr: linesOf(file("stderr")),
    code: Number(readFileSync(file("exit"), "utf8")),
  };
}

/** Some cases were recorded on one version only. */
export function isRecorded(version: RecordedVersion, name: string): boolean {
  return existsSync(join(import.meta.dirname, "..", "recorded", version, `${name}.exit`));
}

/** The facts of an exit that nobody but restic brought about. */
export function exitFacts(code: number, changes: Partial<ExitFacts> = {}): ExitFacts {
  return { code, signal: null, interruptedByUs: false, timedOut: false, killed: false, ...changes };
}

export function evidenceOf(stderr: readonly string[]): ReturnType<typeof collectEvidence>["evidence"] {
  const collector = collectEvidence();
  for (const line of stderr) collector.add(line);
  return collector.evidence;
}

function linesOf(path: string): string[] {
  const splitter = lineSplitter();
  return [...splitter.push(readFileSync(path)), ...splitter.end()].map((line) => line.text);
}
