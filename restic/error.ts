import type { Evidence } from "./evidence.ts";
import { firstLine } from "./message.ts";
import type { Redact } from "./redact.ts";
import type { ExitFacts } from "./run.ts";

/** Who holds a lock, as far as restic's text tells. Whether it is stale must be judged from `cat lock`. */
export type LockHolder = {
  exclusive: boolean;
  pid: number;
  hostname: string;
  username: string;
  /** As restic prints it: local time of this machine, without a zone. */
  since?: string;
};

/**
 * Why a restic command did not do what it was asked. `message` is a sentence for people, free of secrets;
 * `code` is stable.
 */
export type ResticError =
  | { code: "repository_missing"; message: string; address: string }
  | { code: "repository_locked"; message: string; holder?: LockHolder; invalidLock: boolean }
  | { code: "wrong_password"; message: string }
  | { code: "incomplete"; message: string }
  | { code: "interrupted"; message: string; byUs: boolean; killed: boolean }
  | { code: "repository_unreachable"; message: string; address: string; cause: string; timedOut: boolean }
  | { code: "repository_damaged"; message: string }
  | { code: "repository_full"; message: string; address: string }
  | { code: "unauthorized"; message: string; address: string; status: 401 | 403 }
  | { code: "append_only"; message: string; address: string }
  | { code: "snapshot_missing"; message: string; snapshot: string }
  | { code: "path_missing"; message: string; path: string }
  | { code: "restic_missing"; message: string }
  | { code: "restic_too_old"; message: string; version: string }
  | { code: "source_missing"; message: string; paths: string[] }
  | { code: "invalid_input"; message: string }
  | { code: "failed"; message: string; exitCode: number | null; signal: string | null };

/** Either what a command found, or why it did not. */
export type Outcome<T> = { ok: true; value: T } | { ok: false; error: ResticError };

export type ExitContext = {
  /** Of the repository, for people; see `repositoryAddress`. */
  address: string;
  redact: Redact;
  deadlineMs?: number;
};

const holderLine = /repository is already locked( exclusively)? by PID (\d+) on (.+) by (.+) \(UID .*\)/;
const sinceLine = /lock was created at (\S+ \S+)/;

/**
 * Says what an ended restic means. Undefined for exit 0. Exit 3 of a backup that saved a snapshot is for the
 * command to turn into a success with issues; here it is `incomplete`.
 */
export function classifyExit(
  facts: ExitFacts,
  evidence: Evidence,
  context: ExitContext,
): ResticError | undefined {
  // What we cancelled is cancelled, whatever the code: 0.18 answers 1, and it may even have finished.
  if (facts.interruptedByUs) {
    return { code: "interrupted", message: "cancelled", byUs: true, killed: facts.killed };
  }
  if (facts.code === 0) return undefined;
  const whole = evidence.exitError?.message ?? evidence.text.join("\n");
  const words = context.redact(firstLine(evidence.exitError?.message ?? fatalOf(evidence) ?? ""));
  if (facts.timedOut) return timedOut(evidence, context);
  switch (facts.code ?? -1) {
    case 10:
      return {
        code: "repository_missing",
        message: `there is no repository at ${context.address}`,
        address: context.address,
      };
    case 11:
      return locked(whole, context, false);
    case 12:
      return { code: "wrong_password", message: "the repository exists but this password does not open it" };
    case 3:
      return { code: "incomplete", message: words === "" ? "restic could not do all of it" : plain(words) };
    case 130:
      return {
        code: "interrupted",
        message: "restic was interrupted by someone else",
        byUs: false,
        killed: false,
      };
    default:
      return classifyText(facts, evidence, whole, words, context);
  }
}

function classifyText(
  facts: ExitFacts,
  evidence: Evidence,
  whole: string,
  words: string,
  context: ExitContext,
): ResticError {
  const { address, redact } = context;
  const all = [whole, evidence.failedCause, evidence.retrying ? evidence.retryCause : ""].join("\n");
  if (evidence.signalled) {
    return {
      code: "interrupted",
      message: "restic was interrupted by someone else",
      byUs: false,
      killed: false,
    };
  }
  if (whole.includes("invalid lock file")) return locked(whole, context, true);
  if (isFull(all)) {
    return { code: "repository_full", message: `the repository at ${address} has no space left`, address };
  }
  if (evidence.removalRefused) return appendOnly(address);
  const refused = /unexpected HTTP response \((401|403)\)/.exec(all)?.[1];
  if (refused !== undefined) {
    const message =
      refused === "401"
        ? `${address} refused the user name or password (401)`
        : `${address} refused this operation (403); the credential may be append-only`;
    return { code: "unauthorized", message, address, status: refused === "401" ? 401 : 403 };
  }
  if (
    /repository contains errors|is damaged: |index is not complete|ciphertext verification failed/.test(whole)
  ) {
    return { code: "repository_damaged", message: plain(words) };
  }
  if (whole.includes("all source directories/files do not exist")) {
    const paths = evidence.missingSources.map(redact);
    return { code: "source_missing", message: `none of the sources exists: ${paths.join(", ")}`, paths };
  }
  const missing = missingThing(whole, redact);
  if (missing !== undefined) return missing;
  if (isUnreachable(all)) {
    const ssh = evidence.text.findLast((line) => line.startsWith("subprocess ssh: "));
    const cause = redact(evidence.failedCause ?? ssh ?? evidence.retryCause ?? plain(words));
    return unreachable(address, cause, false);
  }
  if (facts.signal !== null) {
    const message = `restic was ended by ${facts.signal}${facts.signal === "SIGKILL" ? " (out of memory?)" : ""}`;
    return { code: "failed", message, exitCode: null, signal: facts.signal };
  }
  const message =
    words === "" ? `restic ended with code ${facts.code ?? "?"} and said nothing` : plain(words);
  return { code: "failed", message, exitCode: facts.code, signal: null };
}

/** What a rest-server with `--append-only` answers to forget, prune, tag and the like: its other address is needed. */
export function appendOnly(address: string): ResticError {
  const message = `${address} refused to remove anything (403); it is append-only for this credential`;
  return { code: "append_only", message, address };
}

function missingThing(whole: string, redact: Redact): ResticError | undefined {
  const snapshot = /no matching ID found for prefix "([^"]*)"/.exec(whole)?.[1];
  if (snapshot !== undefined) {
    return {
      code: "snapshot_missing",
      message: `there is no snapshot ${snapshot} in the repository`,
      snapshot,
    };
  }
  const [, quoted, bare] =
    /path "(.*)" not found in snapshot|^(?:Fatal: )?path (.*): not found/s.exec(whole) ?? [];
  const path = quoted ?? bare;
  if (path === undefined) return undefined;
  return { code: "path_missing", message: `${redact(path)} is not in the snapshot`, path: redact(path) };
}

function timedOut(evidence: Evidence, { address, redact, deadlineMs }: ExitContext): ResticError {
  const said = evidence.failedCause ?? evidence.retryCause ?? evidence.text.at(-1);
  if (isFull(`${evidence.failedCause}\n${evidence.retryCause}`)) {
    return { code: "repository_full", message: `the repository at ${address} has no space left`, address };
  }
  const within = deadlineMs === undefined ? "in time" : `within ${Math.round(deadlineMs / 1000)} s`;
  return unreachable(address, said === undefined ? `no answer ${within}` : redact(firstLine(said)), true);
}

function unreachable(address: string, cause: string, gaveUp: boolean): ResticError {
  const message = `the repository at ${address} cannot be reached: ${cause}`;
  return { code: "repository_unreachable", message, address, cause, timedOut: gaveUp };
}

function locked(text: string, { redact }: ExitContext, invalidLock: boolean): ResticError {
  const [, exclusive, pid, hostname, username] = holderLine.exec(text) ?? [];
  if (invalidLock || pid === undefined || hostname === undefined || username === undefined) {
    const message = invalidLock
      ? "the repository has a lock file that cannot be read"
      : "the repository is locked";
    return { code: "repository_locked", message, invalidLock };
  }
  const since = sinceLine.exec(text)?.[1];
  const holder: LockHolder = {
    exclusive: exclusive !== undefined,
    pid: Number(pid),
    hostname: redact(hostname),
    username: redact(username),
    ...(since === undefined ? {} : { since }),
  };
  const message = `the repository is locked by ${holder.username} on ${holder.hostname} (process ${pid})`;
  return { code: "repository_locked", message, holder, invalidLock };
}

/** A rest-server over its limit answers 507; a local folder's file system says it in words. */
export function isFull(text: string): boolean {
  return /\(507\)|Insufficient Storage|Save\(<.*no space left on device|unable to save snapshot: .*no space left/.test(
    text,
  );
}

function isUnreachable(text: string): boolean {
  return /dial tcp|connection refused|connection reset|no such host|network is unreachable|request timeout|i\/o timeout|TLS handshake|tls: |x509: |unable to start the sftp session|unexpected HTTP response \(5\d\d\)|: EOF$|server misbehaving|proxyconnect/m.test(
    text,
  );
}

function fatalOf(evidence: Evidence): string | undefined {
  return evidence.text.findLast((line) => line.startsWith("Fatal: ")) ?? evidence.text.at(-1);
}

/** Without restic's own prefixes, of which it sometimes prints two, one of them in the middle. */
function plain(words: string): string {
  return words.replace(/\b(?:Fatal|Warning): /g, "");
}
