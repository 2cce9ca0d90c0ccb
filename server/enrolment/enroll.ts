import { z } from "zod";
import type { AgentEnroll, AgentEnrolled } from "@restic-manager/protocol/api/enrolment";
import { RepositoryCredentials, type AgentConfig } from "@restic-manager/protocol/config";
import { HostId } from "@restic-manager/protocol/ids";
import type { Audit, AuditActor } from "../platform/audit.ts";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import { isUniqueViolation } from "../platform/db/errors.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import type { Ids } from "../platform/ids.ts";
import type { Seal } from "../platform/seal.ts";
import { hashToken, mintToken, sameHash } from "../platform/token.ts";
import { enrollmentSlot } from "./create.ts";
import { consume, insertHost, insertStep, readEnrollment, type EnrollmentRow } from "./store.ts";
import { readToken } from "./token.ts";

export interface EnrollParts {
  db: Database;
  clock: Clock;
  ids: Ids;
  seal: Seal;
  bus: Bus;
  audit: Audit;
  /** Seals credentials as the new host's. */
  storeCredentials: (trx: Trx, hostId: HostId, credentials: RepositoryCredentials) => Promise<void>;
  seedSourceGroup: (
    trx: Trx,
    host: { id: HostId; os: string },
    wished: { includes: string[] | null; excludes: string[] | null },
  ) => Promise<unknown>;
  configOf: (trx: Trx, hostId: HostId) => Promise<AgentConfig | undefined>;
}

/**
 * Makes a machine with a token a host. The token is used up exactly when the host is there: two agents that race for it
 * end with one host, and a failure leaves the token as it was.
 *
 * @param address where the agent called from.
 * @throws ApiProblem `token_unknown`, `token_used`, `token_expired`, `name_taken`.
 */
export async function enrollAgent(
  parts: EnrollParts,
  agent: AgentEnroll,
  address: string | null,
): Promise<AgentEnrolled> {
  const token = readToken(agent.token);
  if (token === undefined) throw unknownToken();
  const now = parts.clock.now();
  const hostId = parts.ids.mint(HostId);
  const bearer = mintToken();
  const enrolling = parts.db.transaction().execute(async (trx) => {
    const row = await readEnrollment(trx, token.id);
    if (row === undefined || !sameHash(row.token_hash, hashToken(token.secret))) throw unknownToken();
    if (row.used_at !== null) throw usedToken();
    if (row.expires_at <= now)
      throw new ApiProblem("token_expired", "the token has expired: it was good for one hour", {
        hint: "add the machine again in the console, and use the new command",
      });
    const credentials = openSealed(parts.seal, row);
    // First of all, so that of two agents the second waits here and hears that the token is used, not the name.
    if (!(await consume(trx, row.id, hostId, now))) throw usedToken();
    await insertHost(trx, hostOf(agent, row.host_name, { hostId, bearer, address, now }));
    await parts.storeCredentials(trx, hostId, credentials);
    const wished = { includes: listOf(row.includes), excludes: listOf(row.excludes) };
    await parts.seedSourceGroup(trx, { id: hostId, os: agent.os }, wished);
    await insertStep(
      trx,
      row.id,
      "enrolled",
      now,
      `${agent.os_name}, ${agent.arch}, agent ${agent.agent_version}`,
    );
    await recordEnrolment(parts.audit, trx, agent, { hostId, name: row.host_name, address });
    const config = await parts.configOf(trx, hostId);
    if (config === undefined) throw new Error("the host that was just written is not there");
    return config;
  });
  const config = await enrolling.catch((error: unknown) => {
    if (isUniqueViolation(error)) throw takenName();
    throw error;
  });
  parts.bus.publish("enrollment.changed", { enrollmentId: token.id });
  parts.bus.publish("host.changed", { hostId });
  return { host_id: hostId, bearer, config };
}

function hostOf(
  agent: AgentEnroll,
  name: string,
  known: { hostId: HostId; bearer: string; address: string | null; now: number },
) {
  const { hostname, machine_id, os, os_name, arch, agent_version } = agent;
  return {
    hostname,
    machine_id,
    os,
    os_name,
    arch,
    agent_version,
    id: known.hostId,
    name,
    bearer_hash: hashToken(known.bearer),
    created_at: known.now,
    address: known.address,
  };
}

async function recordEnrolment(
  audit: Audit,
  trx: Trx,
  agent: AgentEnroll,
  { hostId, name, address }: { hostId: HostId; name: string; address: string | null },
): Promise<void> {
  const actor: AuditActor = { kind: "agent", id: hostId, name, address };
  const target = { kind: "host", id: hostId, name };
  const { hostname, os, os_name, arch } = agent;
  const detail = { hostname, os, os_name, arch, credentials: true };
  await audit.record(trx, { actor, action: "host.enrolled", target, detail });
  await audit.record(trx, { actor, action: "credential.read_by_agent", target, detail: { slot: "repo" } });
}

function openSealed(seal: Seal, row: EnrollmentRow): RepositoryCredentials {
  return RepositoryCredentials.parse(JSON.parse(seal.open(row.sealed, enrollmentSlot(row.id))));
}

function listOf(json: string | null): string[] | null {
  return json === null ? null : z.array(z.string()).parse(JSON.parse(json));
}

function unknownToken(): ApiProblem {
  return new ApiProblem("token_unknown", "the server does not know this token", {
    hint: "copy the whole command from the console again",
  });
}

function usedToken(): ApiProblem {
  return new ApiProblem("token_used", "the token was used already: it is good for one machine", {
    hint: "if it was not you, remove the host in the console; add this machine with a new token",
  });
}

function takenName(): ApiProblem {
  return new ApiProblem("name_taken", "another host has taken the name this token was made for", {
    hint: "rename or remove that host in the console and run this again: the token is still good",
  });
}
