import type { z } from "zod";
import type {
  EnrollmentProgress,
  EnrollmentToken,
  EnrollmentTokenInput,
} from "@restic-manager/protocol/api/enrolment";
import type { FleetSummary } from "@restic-manager/protocol/api/fleet";
import type {
  Host,
  HostPatch,
  HostsPage,
  HostsQuery,
  SnapshotsPage,
} from "@restic-manager/protocol/api/hosts";
import type {
  CancelJob,
  CreatedJob,
  RanHosts,
  Job,
  JobLogPage,
  JobsPage,
  JobsQuery,
  RunGroup,
} from "@restic-manager/protocol/api/jobs";
import type {
  NewJob,
  ReinitRepository,
  RepoMaintenance,
  RepoMaintenanceInput,
  RunCheck,
  RunForget,
  RunPrune,
  RunUnlock,
} from "@restic-manager/protocol/api/maintenance";
import type {
  AdminCredentialsInput,
  AdminCredentialsView,
  RepoCredentialsInput,
  RepoCredentialsView,
} from "@restic-manager/protocol/api/repository";
import type { RepositoryPage } from "@restic-manager/protocol/api/repository-page";
import type {
  Me,
  Setup,
  SetupFacts,
  SetupProbeResult,
  SetupState,
  SignIn,
} from "@restic-manager/protocol/api/session";
import type {
  CreatedJobs,
  HostPauseInput,
  PausedHosts,
  RunSchedule,
  Schedule,
  ScheduleEdit,
  ScheduleInput,
  ScheduleLoad,
  SchedulePreview,
  SchedulePreviewInput,
  Schedules,
} from "@restic-manager/protocol/api/schedules";
import type {
  HooksInput,
  HostBandwidth,
  HostHooks,
  SourceGroup,
  SourceGroupEdit,
  SourceGroupInput,
  SourceGroups,
} from "@restic-manager/protocol/api/sources";
import type { ForgetSnapshots, TagSnapshots } from "@restic-manager/protocol/api/chosen-snapshots";
import type { ChangesPage, DiffRequest } from "@restic-manager/protocol/api/diff";
import type { DownloadQuery, Restore, RestoreRequest, Restores } from "@restic-manager/protocol/api/restore";
import type { FileVersions, TreeFolder, TreeFound } from "@restic-manager/protocol/api/tree";
import type { Tags } from "@restic-manager/protocol/api/tags";
import type {
  AppliedTemplate,
  ApplyTemplate,
  HostFollowing,
  PreviewTemplate,
  Template,
  TemplateEdit,
  TemplateHosts,
  TemplateInput,
  TemplatePreview,
  Templates,
} from "@restic-manager/protocol/api/templates";
import { ApiProblem, problemOf } from "./api-problem.ts";

type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/**
 * Asks the server. The answer's shape is what the protocol says of this path; the server and its tests answer for that,
 * so that the page need not carry a validator. `gone` aborts when nobody waits any more. Throws `ApiProblem` with a sentence for everything else.
 */
export async function ask<Answer>(
  method: Method,
  path: string,
  body?: unknown,
  gone?: AbortSignal,
): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(`/api${path}`, {
      method,
      signal: gone ?? null,
      credentials: "same-origin",
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch {
    throw new ApiProblem(
      {
        code: "unreachable",
        message: "The server did not answer.",
        hint: "Backups go on without it. Check that it runs and that this machine can reach it, then try again.",
      },
      0,
    );
  }
  const text = await response.text();
  const answer = parse(text);
  if (!response.ok) throw problemOf(response.status, answer);
  return answer as Answer;
}

function parse(text: string): unknown {
  try {
    return text === "" ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

/** A question's parameters as `?a=b`; what is undefined is left out. */
function query(parameters: Readonly<Record<string, string | number | undefined>>): string {
  const given = Object.entries(parameters).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)]],
  );
  return given.length === 0 ? "" : `?${new URLSearchParams(given).toString()}`;
}

/** Every question this console asks, by what it is about. */
export const api = {
  setupState: () => ask<SetupState>("GET", "/setup"),
  setupFacts: (token: string) => ask<SetupFacts>("POST", "/setup/check", { token }),
  setupProbe: (probe: { token: string; base_url: string }) =>
    ask<SetupProbeResult>("POST", "/setup/probe", probe),
  setup: (setup: Setup) => ask<Me>("POST", "/setup", setup),
  signIn: (credentials: SignIn) => ask<Me>("POST", "/session", credentials),
  signOut: () => ask<null>("DELETE", "/session"),
  me: () => ask<Me>("GET", "/me"),

  fleetSummary: () => ask<FleetSummary>("GET", "/fleet/summary"),
  hosts: (wanted: Partial<HostsQuery>) => ask<HostsPage>("GET", `/hosts${query(wanted)}`),
  host: (id: string) => ask<Host>("GET", `/hosts/${id}`),
  patchHost: (id: string, patch: z.input<typeof HostPatch>) => ask<Host>("PATCH", `/hosts/${id}`, patch),
  removeHost: (id: string) => ask<null>("DELETE", `/hosts/${id}`),
  snapshots: (hostId: string, wanted: { cursor?: string | undefined; limit?: number }) =>
    ask<SnapshotsPage>("GET", `/hosts/${hostId}/snapshots${query(wanted)}`),
  tree: (
    hostId: string,
    snapshotId: string,
    wanted: { path: string; cursor?: string; limit: number; indexed?: string },
    gone: AbortSignal,
  ) =>
    ask<TreeFolder>("GET", `/hosts/${hostId}/snapshots/${snapshotId}/tree${query(wanted)}`, undefined, gone),
  searchTree: (
    hostId: string,
    snapshotId: string,
    wanted: { q: string; path?: string; cursor?: string | undefined },
    gone: AbortSignal,
  ) =>
    ask<TreeFound>("GET", `/hosts/${hostId}/snapshots/${snapshotId}/search${query(wanted)}`, undefined, gone),
  versions: (hostId: string, path: string, gone: AbortSignal) =>
    ask<FileVersions>("GET", `/hosts/${hostId}/versions${query({ path })}`, undefined, gone),
  /** Where a browser gets a file, or a folder as an archive. */
  downloadHref: (hostId: string, snapshotId: string, wanted: z.infer<typeof DownloadQuery>) =>
    `/api/hosts/${hostId}/snapshots/${snapshotId}/download${query(wanted)}`,
  restores: (hostId: string, wanted: { limit?: number }) =>
    ask<Restores>("GET", `/hosts/${hostId}/restore${query(wanted)}`),
  restore: (hostId: string, jobId: string) => ask<Restore>("GET", `/hosts/${hostId}/restore/${jobId}`),
  startRestore: (hostId: string, request: z.input<typeof RestoreRequest>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/restore`, request),
  tagSnapshots: (hostId: string, wanted: z.input<typeof TagSnapshots>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/snapshots/tags`, wanted),
  forgetSnapshots: (hostId: string, wanted: z.input<typeof ForgetSnapshots>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/snapshots/forget`, wanted),
  compare: (hostId: string, wanted: z.input<typeof DiffRequest>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/snapshots/diff`, wanted),
  changes: (jobId: string, wanted: { kind?: string; q?: string; below?: string; cursor?: string }) =>
    ask<ChangesPage>("GET", `/jobs/${jobId}/changes${query(wanted)}`),
  sourceGroups: (hostId: string) => ask<SourceGroups>("GET", `/hosts/${hostId}/source-groups`),
  createGroup: (hostId: string, group: z.input<typeof SourceGroupInput>) =>
    ask<SourceGroup>("POST", `/hosts/${hostId}/source-groups`, group),
  saveGroup: (hostId: string, groupId: string, group: z.input<typeof SourceGroupEdit>) =>
    ask<SourceGroup>("PUT", `/hosts/${hostId}/source-groups/${groupId}`, group),
  deleteGroup: (hostId: string, groupId: string) =>
    ask<null>("DELETE", `/hosts/${hostId}/source-groups/${groupId}`),
  /** Of a group, or with null the host's own, which stand for groups that have none. */
  saveHooks: (hostId: string, groupId: string | null, hooks: HooksInput) =>
    ask<HostHooks>(
      "PUT",
      `/hosts/${hostId}${groupId === null ? "" : `/source-groups/${groupId}`}/hooks`,
      hooks,
    ),
  saveBandwidth: (hostId: string, caps: z.infer<typeof HostBandwidth>) =>
    ask<z.infer<typeof HostBandwidth>>("PUT", `/hosts/${hostId}/bandwidth`, caps),
  schedules: (hostId: string) => ask<Schedules>("GET", `/hosts/${hostId}/schedules`),
  previewSchedule: (hostId: string, wanted: z.input<typeof SchedulePreviewInput>) =>
    ask<SchedulePreview>("POST", `/hosts/${hostId}/schedules/preview`, wanted),
  createSchedule: (hostId: string, schedule: z.input<typeof ScheduleInput>) =>
    ask<Schedule>("POST", `/hosts/${hostId}/schedules`, schedule),
  saveSchedule: (hostId: string, id: string, schedule: z.input<typeof ScheduleEdit>) =>
    ask<Schedule>("PUT", `/hosts/${hostId}/schedules/${id}`, schedule),
  deleteSchedule: (hostId: string, id: string) => ask<null>("DELETE", `/hosts/${hostId}/schedules/${id}`),
  switchSchedule: (hostId: string, id: string, on: boolean) =>
    ask<Schedule>("POST", `/hosts/${hostId}/schedules/${id}/${on ? "resume" : "pause"}`),
  runSchedule: (hostId: string, id: string, run: z.input<typeof RunSchedule> = {}) =>
    ask<CreatedJobs>("POST", `/hosts/${hostId}/schedules/${id}/run`, run),
  scheduleLoad: () => ask<ScheduleLoad>("GET", "/schedules/load"),
  pauseHosts: (hostIds: readonly string[], reason: string | null) =>
    ask<PausedHosts>("POST", "/pauses", { host_ids: hostIds, reason }),
  tags: () => ask<Tags>("GET", "/tags"),

  templates: () => ask<Templates>("GET", "/policy-templates"),
  template: (id: string) => ask<Template>("GET", `/policy-templates/${id}`),
  createTemplate: (template: z.input<typeof TemplateInput>) =>
    ask<Template>("POST", "/policy-templates", template),
  saveTemplate: (id: string, template: z.input<typeof TemplateEdit>) =>
    ask<Template>("PUT", `/policy-templates/${id}`, template),
  deleteTemplate: (id: string) => ask<null>("DELETE", `/policy-templates/${id}`),
  templateHosts: (id: string) => ask<TemplateHosts>("GET", `/policy-templates/${id}/hosts`),
  previewTemplate: (id: string, target: z.input<typeof PreviewTemplate>) =>
    ask<TemplatePreview>("POST", `/policy-templates/${id}/preview`, target),
  applyTemplate: (id: string, wanted: z.input<typeof ApplyTemplate>) =>
    ask<AppliedTemplate>("POST", `/policy-templates/${id}/apply`, wanted),
  following: (hostId: string) => ask<HostFollowing>("GET", `/hosts/${hostId}/policy-template`),
  leaveTemplate: (hostId: string) => ask<null>("DELETE", `/hosts/${hostId}/policy-template`),
  pauseHost: (hostId: string, pause: z.input<typeof HostPauseInput>) =>
    ask<Schedules>("PUT", `/hosts/${hostId}/pause`, pause),
  resumeHost: (hostId: string) => ask<Schedules>("DELETE", `/hosts/${hostId}/pause`),
  runGroup: (hostId: string, groupId: string, run: z.input<typeof RunGroup> = {}) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/source-groups/${groupId}/run`, run),
  runHosts: (hostIds: readonly string[]) => ask<RanHosts>("POST", "/backups", { host_ids: hostIds }),
  repoCredentials: (hostId: string) => ask<RepoCredentialsView>("GET", `/hosts/${hostId}/repo-credentials`),
  saveRepoCredentials: (hostId: string, credentials: RepoCredentialsInput) =>
    ask<RepoCredentialsView>("PUT", `/hosts/${hostId}/repo-credentials`, credentials),

  repository: (hostId: string) => ask<RepositoryPage>("GET", `/hosts/${hostId}/repository`),
  saveMaintenance: (hostId: string, wanted: z.input<typeof RepoMaintenanceInput>) =>
    ask<RepoMaintenance>("PUT", `/hosts/${hostId}/repo-maintenance`, wanted),
  saveAdminCredentials: (hostId: string, credentials: AdminCredentialsInput) =>
    ask<AdminCredentialsView>("PUT", `/hosts/${hostId}/admin-credentials`, credentials),
  removeAdminCredentials: (hostId: string) => ask<null>("DELETE", `/hosts/${hostId}/admin-credentials`),
  runForget: (hostId: string, wanted: z.input<typeof RunForget>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/repo/forget`, wanted),
  runPrune: (hostId: string, wanted: z.input<typeof RunPrune>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/repo/prune`, wanted),
  runCheck: (hostId: string, wanted: z.input<typeof RunCheck>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/repo/check`, wanted),
  runUnlock: (hostId: string, wanted: z.input<typeof RunUnlock>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/repo/unlock`, wanted),
  reinit: (hostId: string, wanted: z.input<typeof ReinitRepository>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/repo/reinit`, wanted),

  jobs: (wanted: Partial<JobsQuery>) => ask<JobsPage>("GET", `/jobs${query(wanted)}`),
  job: (id: string) => ask<Job>("GET", `/jobs/${id}`),
  createJob: (hostId: string, job: z.input<typeof NewJob>) =>
    ask<CreatedJob>("POST", `/hosts/${hostId}/jobs`, job),
  giveUpJob: (id: string) => ask<Job>("POST", `/jobs/${id}/give-up`),
  cancelJob: (id: string, how: z.input<typeof CancelJob> = {}) => ask<Job>("POST", `/jobs/${id}/cancel`, how),
  jobLog: (id: string, wanted: { from?: number; limit?: number }) =>
    ask<JobLogPage>("GET", `/jobs/${id}/log${query(wanted)}`),

  createEnrollment: (wanted: EnrollmentTokenInput) =>
    ask<EnrollmentToken>("POST", "/enrollment-tokens", wanted),
  enrollment: (id: string) => ask<EnrollmentProgress>("GET", `/enrollment-tokens/${id}`),
};
