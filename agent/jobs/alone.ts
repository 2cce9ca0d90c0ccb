import type { EXCLUSIVE_KINDS } from "@restic-manager/protocol/jobs/exclusive";
import type { JobProgress } from "@restic-manager/protocol/jobs";
import type { ResticContext, Hooks } from "@restic-manager/restic/context";
import type { Outcome } from "@restic-manager/restic/error";
import { openRepository } from "@restic-manager/restic/repository";
import type { JobError } from "@restic-manager/protocol/job-error";
import type { JobTools } from "../job-runner.ts";
import { pastLock, type PastLock } from "../past-lock.ts";
import { toJobError } from "../restic-access.ts";

type AloneKind = (typeof EXCLUSIVE_KINDS)[number];

/** Runs a restic command that needs the repository for itself, with what the job says meanwhile. */
export function alone<T>(
  context: ResticContext,
  tools: JobTools<AloneKind>,
  run: (retryLockSeconds: { retryLockSeconds?: number }, hooks: Hooks) => Promise<Outcome<T>>,
): Promise<PastLock<T>> {
  const began = tools.timers.now();
  let latest: JobProgress<AloneKind> = { phase: "working", seconds_elapsed: 0 };
  const say = (change: Partial<JobProgress<AloneKind>> = {}): void => {
    const seconds_elapsed = Math.max(0, Math.round((tools.timers.now() - began) / 1_000));
    tools.progress((latest = { ...latest, ...change, seconds_elapsed }));
  };
  const wait = (cause: string | undefined): void => {
    latest = { phase: "working", seconds_elapsed: 0 };
    say(cause === undefined ? {} : { phase: "waiting_for_repository", waiting_cause: cause.slice(0, 1_024) });
  };
  const hooks: Hooks = {
    cancel: tools.cancel,
    kill: tools.kill,
    onSpawn(pid) {
      tools.spawned(pid);
      say();
    },
    onLog({ stream, text }) {
      tools.log(stream, text);
      say();
    },
    onWaiting: wait,
  };
  return pastLock(
    context,
    tools,
    (seconds) => run(seconds === undefined ? {} : { retryLockSeconds: seconds }, hooks),
    wait,
  );
}

/**
 * The repository as the job's credentials open it. Those of the admin slot may name another address, and must lead to the same
 * repository: nothing is deleted from one that this machine's backups are not in.
 */
export async function openFor(
  tools: JobTools<AloneKind>,
  useAdmin: boolean,
): Promise<{ ok: true; context: ResticContext } | { ok: false; error: JobError | undefined }> {
  const everyday = tools.restic();
  if (!useAdmin || !everyday.ok) return everyday;
  const admin = tools.restic({}, "admin");
  if (!admin.ok || admin.context.access.url === everyday.context.access.url) return admin;
  const hooks = { cancel: tools.cancel, kill: tools.kill };
  const known = tools.repositoryId?.() ?? (await idOf(everyday.context, hooks));
  if (typeof known !== "string") return known;
  const other = await idOf(admin.context, hooks);
  if (typeof other !== "string") return other;
  if (other === known) return admin;
  return {
    ok: false,
    error: {
      code: "invalid_input",
      message: "The address of the admin credentials leads to another repository than this machine's.",
      hint: "Correct the address on the host's page. Nothing was changed in either repository.",
    },
  };
}

async function idOf(
  context: ResticContext,
  hooks: Hooks,
): Promise<string | { ok: false; error: JobError | undefined }> {
  const opened = await openRepository(context, {}, hooks);
  switch (opened.state) {
    case "open":
      return opened.id;
    case "missing":
      return {
        ok: false,
        error: { code: "repository_missing", message: `There is no repository at ${context.access.url}.` },
      };
    case "wrong_password":
      return {
        ok: false,
        error: {
          code: "wrong_password",
          message: "The repository exists but this password does not open it.",
        },
      };
    case "error":
      return { ok: false, error: toJobError(opened.error) };
  }
}
