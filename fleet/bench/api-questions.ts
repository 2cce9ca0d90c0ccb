import { HOST_SORTS, HOST_STATUSES } from "@restic-manager/protocol/api/hosts";
import { storedHostId, storedJobId, type FleetSize } from "./stored-fleet.ts";

/** Something a page of the console asks for, over and over, of one host or job after another. */
export interface Question {
  /** Questions of one group are judged by the worst of them. */
  group: string;
  path: (round: number) => string;
  /** Something changes before each time it is asked, or an answer may be known already. */
  afterChange?: boolean;
}

/** Rows the console asks for at once (console/queries.ts). */
const HOSTS_A_PAGE = 200;
const JOBS_A_PAGE = 100;

const JOB_STATES = [
  "active",
  "running",
  "queued",
  "succeeded",
  "issues",
  "failed",
  "cancelled",
  "finished",
] as const;

/** What the console's pages ask of a store of this size. */
export function consoleQuestions(size: FleetSize): Question[] {
  const hosts = (more: string) => () => `/api/hosts?limit=${HOSTS_A_PAGE}${more}`;
  const jobs = (more: string) => () => `/api/jobs?limit=${JOBS_A_PAGE}${more}`;
  const sorts = HOST_SORTS.flatMap((sort) => ["asc", "desc"].map((order) => `&sort=${sort}&order=${order}`));
  return [
    ...sorts.map((more) => ({ group: "fleet_sorted", path: hosts(more) })),
    ...HOST_STATUSES.map((status) => ({ group: "fleet_filtered", path: hosts(`&status=${status}`) })),
    { group: "fleet_filtered", path: hosts("&backed_up=24h") },
    { group: "fleet_filtered", path: hosts("&status=protected&backed_up=24h&sort=last_backup&order=desc") },
    { group: "fleet_searched", path: hosts("&search=kiosk-c") },
    { group: "fleet_searched", path: hosts("&search=db-ams-") },
    { group: "fleet_searched", path: hosts("&search=none-such") },
    ...pageQuestions(size),
    ...JOB_STATES.map((state) => ({ group: "jobs_filtered", path: jobs(`&state=${state}`) })),
    { group: "jobs_filtered", path: jobs("&kind=init") },
    { group: "jobs_filtered", path: jobs("&kind=init&state=failed") },
    { group: "jobs_filtered", path: jobs("&kind=backup&state=cancelled") },
    { group: "jobs_filtered", path: (round) => jobs(`&state=failed&host_id=${hostOf(size, round)}`)() },
  ];
}

/** Questions whose page is as full in a small fleet as in a large one: their times can be compared. */
export function growthQuestions(size: FleetSize): Question[] {
  const sorts = HOST_SORTS.map((sort) => `/api/hosts?limit=100&sort=${sort}`);
  return [...sorts.map((path) => ({ group: "fleet_sorted", path: () => path })), ...pageQuestions(size)];
}

function pageQuestions(size: FleetSize): Question[] {
  return [
    { group: "summary", path: () => "/api/fleet/summary" },
    { group: "summary_after_change", path: () => "/api/fleet/summary", afterChange: true },
    { group: "host", path: (round) => `/api/hosts/${hostOf(size, round)}` },
    { group: "host", path: (round) => `/api/hosts/${hostOf(size, round)}/snapshots?limit=200` },
    { group: "host", path: (round) => `/api/jobs?limit=100&host_id=${hostOf(size, round)}` },
    { group: "jobs", path: () => `/api/jobs?limit=${JOBS_A_PAGE}` },
    { group: "job", path: (round) => `/api/jobs/${jobOf(size, round)}` },
    { group: "log", path: (round) => `/api/jobs/${jobOf(size, round)}/log?from=0&limit=1000` },
  ];
}

/** One of the hosts that have snapshots. */
const hostOf = (size: FleetSize, round: number) => storedHostId((round * 7) % Math.min(50, size.hosts));
/** One of the jobs that have ended and have a log. */
const jobOf = ({ hosts, jobs, lines }: FleetSize, round: number) => {
  const logged = Math.max(1, Math.min(jobs, Math.floor(lines / 300)) - hosts);
  return storedJobId(Math.max(0, jobs - hosts - 1 - ((round * 997) % logged)));
};
