import type { ApiErrorCode } from "@restic-manager/protocol/api/errors";
import type { HostId, ResticId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Download, DownloadWish } from "../link/downloads.ts";
import type { Audit } from "../platform/audit.ts";
import type { Cancel, Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { hasSnapshot, hostById } from "./store.ts";

/** How soon a session that was revoked gets nothing more. */
const ALLOWED_CHECK_MS = 10_000;

export interface DownloadParts {
  db: Database;
  clock: Clock;
  audit: Audit;
  /** Asks an agent, and waits for the first byte. */
  begin: (hostId: HostId, wish: DownloadWish, gone: AbortSignal) => Promise<Download>;
  /** Ends every download when the server stops. */
  stopping: AbortSignal;
}

export interface Downloader {
  actor: UserActor;
  /** Aborts when they leave. */
  gone: AbortSignal;
  /** False once they may see no more. */
  allowed: () => Promise<boolean>;
}

/**
 * A file of a snapshot, or a folder as an archive, as an answer that streams. Recorded before anything is asked for.
 *
 * @throws ApiProblem `not_found`, `host_offline`, `validation_failed` for a name that restic cannot be given, and what an agent may fail with.
 */
export async function download(
  parts: DownloadParts,
  hostId: HostId,
  snapshotId: ResticId,
  { path: given, as }: { path: string; as: "file" | "tar" | "zip" },
  { actor, gone, allowed }: Downloader,
): Promise<Response> {
  const path = given.replace(/(?<=.)\/+$/, "");
  if (path.includes("\ufffd")) {
    const words = "has bytes that are no UTF-8, which restic cannot be given; download the folder around it";
    throw new ApiProblem("validation_failed", `path: ${words}`, { fields: { path: words } });
  }
  const { db, audit, clock, stopping } = parts;
  const hostName = await db.transaction().execute(async (trx) => {
    const host = await hostById(trx, hostId);
    if (host === undefined) throw new ApiProblem("not_found", "there is no such host");
    if (!(await hasSnapshot(trx, hostId, snapshotId)))
      throw new ApiProblem("not_found", "this host has no such snapshot");
    await audit.record(trx, {
      actor,
      action: "file.downloaded",
      target: { kind: "host", id: hostId, name: host.name },
      detail: { snapshot_id: snapshotId, path: path.slice(0, 4_096), as },
    });
    return host.name;
  });
  const ended = new AbortController();
  const all = AbortSignal.any([gone, stopping, ended.signal]);
  const wish = { snapshot_id: snapshotId, path, archive: as === "zip" ? ("zip" as const) : ("tar" as const) };
  const begun = await parts.begin(hostId, wish, all);
  if (!begun.ok) throw problemOf(begun.failure, hostName);
  const watching = clock.every(ALLOWED_CHECK_MS, () => {
    void allowed().then(
      (yes) => yes || ended.abort(),
      () => ended.abort(),
    );
  });
  return new Response(endedWith(begun.body, watching), {
    headers: {
      "content-type":
        as === "zip" ? "application/zip" : as === "tar" ? "application/x-tar" : "application/octet-stream",
      "content-disposition": disposition(path, as, hostName),
      "cache-control": "no-store",
      // nginx would collect it otherwise.
      "x-accel-buffering": "no",
    },
  });
}

/** The same bytes; calls `end` once, however they end. */
function endedWith(body: ReadableStream<Uint8Array>, end: Cancel): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (!done) return controller.enqueue(value);
          end();
          controller.close();
        } catch (error) {
          end();
          controller.error(error);
        }
      },
      cancel(reason) {
        end();
        return reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}

/** `attachment`, so that nothing of a backup is ever shown as a page of this server. */
function disposition(path: string, as: "file" | "tar" | "zip", hostName: string): string {
  const last = path.slice(path.lastIndexOf("/") + 1);
  const name = `${last === "" ? hostName : last}${as === "file" ? "" : `.${as}`}`;
  const plain = name.replaceAll(/[^A-Za-z0-9._ -]/g, "_");
  const whole = encodeURIComponent(name).replaceAll(
    /['()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return `attachment; filename="${plain}"; filename*=UTF-8''${whole}`;
}

const CODES: Record<Extract<Download, { ok: false }>["failure"]["code"], ApiErrorCode> = {
  snapshot_missing: "not_found",
  path_missing: "not_found",
  busy: "agent_busy",
  too_large: "snapshot_too_large",
  stalled: "agent_timeout",
  failed: "agent_failed",
  host_offline: "host_offline",
  agent_outdated: "agent_outdated",
  timed_out: "agent_timeout",
};

function problemOf(
  { code, message }: Extract<Download, { ok: false }>["failure"],
  hostName: string,
): ApiProblem {
  if (code === "host_offline")
    return new ApiProblem("host_offline", `${hostName} is not connected`, {
      hint: "its own agent reads the snapshot: try again when the machine is back",
    });
  return new ApiProblem(CODES[code], message, code === "busy" ? { retryAfterSeconds: 10 } : {});
}
