import { firstLine, isStackTrace, parseMessage } from "./message.ts";

/** What restic's standard error told, in bounded memory, for the one decision at the end. */
export type Evidence = {
  /** The last line of 0.18 and newer, with the whole message: a lock's holder stands on its second line. */
  exitError?: { code: number; message: string };
  /** Why restic is (or was last) retrying, in its own words without the address of the request. */
  retryCause?: string;
  /** The last operation was repeated and has not succeeded since. */
  retrying: boolean;
  /** `Save(…) failed: …` and the like: the operation that was given up. */
  failedCause?: string;
  /** The server refused (403) to remove something that is no lock: it is append-only for this credential. */
  removalRefused: boolean;
  /** Sources that restic skipped because they do not exist (at most 100). */
  missingSources: string[];
  /** restic said that it was told to end. */
  signalled: boolean;
  /** The last plain lines (at most 10), for commands that print their error as text. */
  text: string[];
};

export type EvidenceCollector = {
  add(line: string): void;
  readonly evidence: Evidence;
};

const retryLine = /^(\w+\(.*\)) returned error, retrying after [^:]+: (.*)$/;
const recoveredLine = /^\w+\(.*\) operation successful after \d+ retries$/;
const failedLine = /^\w+\(<.*>\) failed: (.*)$/;
const refusedRemovalLine = /^Remove\(<(?!lock\/).*>\) failed: unexpected HTTP response \(403\)/;
const missingLine = /^(.*) does not exist, skipping$/;
const signalLine = /^signal \w+ received, cleaning up/;

const maxMissing = 100;
const maxText = 10;

/** Gathers what `classifyExit` needs from the lines of standard error (and text that restic put on standard output). */
export function collectEvidence(): EvidenceCollector {
  const evidence: Evidence = {
    retrying: false,
    removalRefused: false,
    missingSources: [],
    signalled: false,
    text: [],
  };
  return {
    evidence,
    add(line) {
      const message = parseMessage(line);
      if (message !== undefined) {
        if (message.message_type === "exit_error" && typeof message["message"] === "string") {
          const code = typeof message["code"] === "number" ? message["code"] : 1;
          evidence.exitError = { code, message: message["message"] };
        }
        return;
      }
      const retry = retryLine.exec(line)?.[2];
      const failed = failedLine.exec(line)?.[1];
      const missing = missingLine.exec(line)?.[1];
      if (retry !== undefined) {
        evidence.retryCause = causeOf(retry);
        evidence.retrying = true;
      } else if (recoveredLine.test(line)) evidence.retrying = false;
      else if (failed !== undefined) {
        evidence.failedCause = causeOf(failed);
        evidence.removalRefused ||= refusedRemovalLine.test(line);
      } else if (missing !== undefined) {
        if (evidence.missingSources.length < maxMissing) evidence.missingSources.push(missing);
      } else if (signalLine.test(line)) evidence.signalled = true;
      else if (line.trim() !== "" && !isStackTrace(line)) {
        evidence.text.push(line.slice(0, 2000));
        if (evidence.text.length > maxText) evidence.text.shift();
      }
    },
  };
}

/** `Head "http://…/config": dial tcp …: connection refused` → `dial tcp …: connection refused`. */
function causeOf(text: string): string {
  return firstLine(text.replace(/^[A-Z][a-z]+ "[^"]*": /, ""));
}
