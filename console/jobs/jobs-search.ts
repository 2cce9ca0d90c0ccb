import type { JobsQuery } from "@restic-manager/protocol/api/jobs";
import type { JobList } from "../queries.ts";

type JobFilter = NonNullable<JobsQuery["state"]>;
type Kind = NonNullable<JobsQuery["kind"]>;

/** The states a list of jobs can be narrowed to, in the order the strip shows them. */
export const JOB_FILTERS = [
  "active",
  "running",
  "queued",
  "succeeded",
  "issues",
  "failed",
  "cancelled",
  "finished",
] as const satisfies readonly JobFilter[];

/** The kinds it can be narrowed to; one that is missing here does not compile. */
const KINDS: Record<Kind, true> = {
  init: true,
  backup: true,
  forget: true,
  prune: true,
  check: true,
  unlock: true,
  restore: true,
  diff: true,
  tag: true,
  forget_snapshots: true,
};

export function readKind(raw: unknown): Kind | undefined {
  return typeof raw === "string" && Object.hasOwn(KINDS, raw) ? (raw as Kind) : undefined;
}

/** What the address of the jobs says. */
export interface JobsSearch {
  state?: JobFilter;
  kind?: Kind;
  /** A host's id. */
  host?: string;
}

/** Reads the address; what it does not know it leaves out. */
export function readJobsSearch(raw: Record<string, unknown>): JobsSearch {
  const state = JOB_FILTERS.find((known) => known === raw["state"]);
  const kind = readKind(raw["kind"]);
  const host = raw["host"];
  return {
    ...(state === undefined ? {} : { state }),
    ...(kind === undefined ? {} : { kind }),
    ...(typeof host === "string" && /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/.test(host) ? { host } : {}),
  };
}

/** The list of jobs that the address asks for. */
export function jobListOf({ host, ...rest }: JobsSearch): JobList {
  // The pattern above is the protocol's.
  return host === undefined ? rest : { ...rest, host_id: host as NonNullable<JobList["host_id"]> };
}

/** The address of the jobs with this search. */
export function jobsHref(search: JobsSearch): string {
  const given = new URLSearchParams({ ...search }).toString();
  return given === "" ? "/jobs" : `/jobs?${given}`;
}
