import type { AgentConfig } from "@restic-manager/protocol/config";
import type { JobError, JobErrorCode } from "@restic-manager/protocol/job-error";
import type { Bandwidth } from "@restic-manager/protocol/jobs/backup";
import type { ResticBinary } from "@restic-manager/restic/binary";
import type { ResticContext } from "@restic-manager/restic/context";
import type { Passthrough } from "@restic-manager/restic/environment";
import type { ResticError } from "@restic-manager/restic/error";
import { Secret } from "@restic-manager/restic/secret";
import type { Timers } from "@restic-manager/restic/timers";

/** Where restic may leave its files on this machine. */
export interface ResticPlaces {
  cacheDir: string;
  tmpDir: string;
  workDir: string;
  passthrough: Passthrough;
  timers: Timers;
}

/**
 * All that a restic call needs, from what the server told and what the machine has. Caps of the run win over the host's.
 */
export function resticContext(
  binary: ResticBinary,
  config: AgentConfig | undefined,
  places: ResticPlaces,
  bandwidth: Bandwidth = {},
): { ok: true; context: ResticContext } | { ok: false; error: JobError } {
  if (binary.state === "missing") {
    const message = "restic was not found on this machine.";
    return { ok: false, error: { code: "restic_missing", message, hint: "Install restic 0.18.0 or newer." } };
  }
  if (binary.state === "too_old") {
    const message = `restic ${binary.version} on this machine is too old.`;
    return { ok: false, error: { code: "restic_too_old", message, hint: "Install restic 0.18.0 or newer." } };
  }
  const repository = config?.repository ?? undefined;
  if (config === undefined || repository === undefined) {
    const message = "This machine has no credentials for a repository.";
    return { ok: false, error: { code: "no_credentials", message, hint: "Enter them on the host's page." } };
  }
  const { url, username, password, repository_password } = repository;
  const upload = bandwidth.upload_kib_per_s ?? config.bandwidth.upload_kib_per_s;
  const download = bandwidth.download_kib_per_s ?? config.bandwidth.download_kib_per_s;
  return {
    ok: true,
    context: {
      program: binary.path,
      ...places,
      access: {
        url,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password: new Secret(password) }),
        repositoryPassword: new Secret(repository_password),
      },
      limits: {
        ...(upload === undefined || upload === 0 ? {} : { uploadKiB: upload }),
        ...(download === undefined || download === 0 ? {} : { downloadKiB: download }),
      },
    },
  };
}

const HINTS: Partial<Record<ResticError["code"], string>> = {
  wrong_password:
    "Enter the password this repository was created with, or choose another folder for a new repository.",
  repository_unreachable:
    "Check that the repository server runs and that this machine can reach its address.",
  repository_missing: "Open the repository again from the host's page; that creates it.",
  repository_locked:
    "Wait for the other run to end. If none is running, the lock is stale and can be removed.",
  unauthorized: "Check user name and password at the repository server (its htpasswd file).",
  append_only: "Enter the credentials of an account that may delete, on the host's page.",
  repository_full: "Free space at the repository server, then back up again.",
  repository_damaged: "Backups may still run. Check the repository before you rely on older snapshots.",
  source_missing: "Correct the folders of this source group.",
  snapshot_missing: "It was forgotten meanwhile. Choose another snapshot.",
};

/** The service's sandbox shows restic every folder, and lets it write but a few. */
const READ_ONLY =
  "If this repository is a folder of this machine, let the service write there: systemctl edit restic-manager-agent, [Service], ReadWritePaths=<the folder>, and restart it.";

/** restic's error in the words of the protocol. `undefined` for a cancel of ours, which is an outcome of its own. */
export function toJobError(error: ResticError): JobError | undefined {
  if (error.code === "interrupted" && error.byUs) return undefined;
  const code = jobCode(error.code);
  const hint = /read-only file system/i.test(error.message) ? READ_ONLY : HINTS[error.code];
  return { code, message: sentence(error.message), ...(hint === undefined ? {} : { hint }) };
}

/** For what the protocol has no code of its own. */
const STAND_INS = {
  incomplete: "failed",
  interrupted: "failed",
} as const satisfies Partial<Record<ResticError["code"], JobErrorCode>>;

function jobCode(code: ResticError["code"]): JobErrorCode {
  return isStoodInFor(code) ? STAND_INS[code] : code;
}

function isStoodInFor(code: ResticError["code"]): code is keyof typeof STAND_INS {
  return Object.hasOwn(STAND_INS, code);
}

function sentence(text: string): string {
  const cut = text.slice(0, 4_000);
  const begun = cut.charAt(0).toUpperCase() + cut.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
}
