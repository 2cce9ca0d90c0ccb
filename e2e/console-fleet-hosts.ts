import type { HostId } from "@restic-manager/protocol/ids";
import type { Database, NewJobRecord } from "@restic-manager/server/platform/db/schema";
import {
  addHost,
  addJob,
  addSourceGroup,
  newHostId,
  newJobId,
  NOON,
} from "@restic-manager/server/testing/rows";
import { addCredentials } from "@restic-manager/server/testing/rows";
import { refresh, resultOf, ISSUES } from "./console-hosts.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const GIB = 1024 ** 3;
const PLACES = ["ams", "fra", "ham", "ber", "osl", "cph"] as const;
const KINDS = ["db", "web", "nas", "pos", "kiosk", "erp"] as const;
const SYSTEMS = ["Debian GNU/Linux 12 (bookworm)", "Ubuntu 24.04 LTS", "Windows Server 2022"] as const;

const FULL = {
  code: "repository_full",
  message: "The repository server vault-ber is full. It refused new data (HTTP 507).",
};
const REFUSED = {
  code: "wrong_password",
  message: "The repository exists but this password does not open it.",
};

/** A fleet as it is on a bad day: most are well, a few share a cause. The same one every time. */
export async function addFleet(db: Database, count: number): Promise<HostId[]> {
  const ids: HostId[] = [];
  for (let index = 0; index < count; index += 1) ids.push(await addOne(db, index));
  return ids;
}

async function addOne(db: Database, index: number): Promise<HostId> {
  const trouble = index % 41;
  const offline = trouble === 3;
  const os = SYSTEMS[index % SYSTEMS.length] ?? SYSTEMS[0];
  const name = `${KINDS[index % 6]}-${PLACES[Math.floor(index / 6) % 6]}-${String(index + 21)}`;
  const id = await addHost(db, {
    id: newHostId(),
    name,
    os: os.startsWith("Windows") ? "windows" : "linux",
    os_name: os,
    online: offline ? 0 : 1,
    last_seen_at: offline ? NOON - 26 * HOUR : NOON,
    agent_version: "0.1.0",
    protected_bytes: ((index * 7919) % 900) * GIB + 3 * GIB,
    stored_bytes: ((index * 7919) % 400) * GIB + GIB,
    snapshot_count: 20 + (index % 70),
    ...(trouble === 5 ? { restic_state: "too_old", restic_version: "0.14.0" } : {}),
  });
  await addCredentials(db, id);
  const groupId = await addSourceGroup(db, id);
  const group = { source_group_id: groupId, source_group_name: "default" };
  const ended = NOON - ((index * 37) % (23 * 60)) * MINUTE - 5 * MINUTE;
  const job = (state: NewJobRecord["state"], given: Partial<NewJobRecord>) =>
    addJob(db, id, state, { id: newJobId(), ...group, ...given });
  const at = { created_at: ended - 9 * MINUTE, started_at: ended - 9 * MINUTE, finished_at: ended };
  if (trouble === 0) await job("failed", { ...at, error: JSON.stringify(FULL) });
  else if (trouble === 1) await job("failed", { ...at, error: JSON.stringify(REFUSED) });
  else if (trouble === 2)
    await job("succeeded", { ...at, issue_count: ISSUES.length, result: JSON.stringify(resultOf(ISSUES)) });
  else if (trouble !== 7) await job("succeeded", { ...at, result: JSON.stringify(resultOf([])) });
  if (trouble === 4) await job("running", { created_at: NOON - MINUTE, started_at: NOON - MINUTE });
  if (trouble === 6) await job("queued", { created_at: NOON - MINUTE });
  await refresh(db, id);
  return id;
}
