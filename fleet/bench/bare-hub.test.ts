import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { until } from "../../e2e/stage/until.ts";
import { startAgents } from "../agents.ts";
import { identityOf, SIMULATED_GROUP } from "../simulated/identity.ts";
import { flood } from "../simulated/script.ts";
import { startBareHub } from "./bare-hub.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "rm-hub-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("agents take the bare hub for a server: welcomed, told to run, acknowledged, their frames in the file", async () => {
  const append = join(folder, "frames");
  const hub = await startBareHub({ folder, append, registry: true });
  const agents = await startAgents({ port: hub.port, count: 2, seed: 3, script: flood(0, 2_560) });
  try {
    await agents.connect();
    const { bearer, groupId, initJobId } = identityOf(3, 1);
    await hub.say(bearer, {
      type: "command.run",
      job_id: initJobId,
      kind: "backup",
      input: {
        ...SIMULATED_GROUP,
        source_group_name: "everything",
        source_group_id: groupId,
        name: undefined,
      },
      actor_kind: "user",
      created_at: new Date().toISOString(),
    });
    const state = await until("everything is acknowledged", async () => {
      const now = await agents.look();
      return now.counters.succeeded === 1 && now.waiting === 0 ? now : undefined;
    });
    expect(state.counters).toMatchObject({ connected: 2, lines: 2_560, errors: 0 });
    const [spawn] = await agents.spawns();
    expect(spawn).toMatchObject({ machine: 1, jobId: initJobId });
  } finally {
    await agents.stop();
    await hub.stop();
  }
  expect(readFileSync(append, "latin1").split('"job_id"').length).toBeGreaterThan(10);
}, 30_000);
