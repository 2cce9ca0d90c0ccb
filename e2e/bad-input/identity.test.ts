import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, cpSync, existsSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Problem } from "@restic-manager/protocol/api/errors";
import type { AgentProcess } from "../stage/agent-process.ts";
import { HostOnStage } from "../stage/host.ts";
import { otherMachine, settleDatabase } from "../stage/machine.ts";
import { Stage } from "../stage/stage.ts";
import { until } from "../stage/until.ts";

/** Tokens, bearers and files that are not what they should be: each is refused in a sentence, at both ends. */

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
}, 30_000);
afterAll(() => stage?.strike());

describe("a token", () => {
  /** What the API says to an agent with this token. */
  async function refusal(token: string): Promise<{ status: number; problem: Problem }> {
    const facts = {
      hostname: "h",
      machine_id: "m",
      os: "linux",
      os_name: "x",
      arch: "x64",
      agent_version: "1",
    };
    const answer = await stage.server.api.ask("POST", "/api/agents/enroll", { token, ...facts });
    return { status: answer.status, problem: Problem.parse(await answer.json()) };
  }

  test.each([
    {
      what: "that was used",
      code: "token_used",
      status: 410,
      server: "used",
      agent: "has been used already",
    },
    { what: "that has expired", code: "token_expired", status: 410, server: "expired", agent: "has expired" },
    {
      what: "of nobody",
      code: "token_unknown",
      status: 401,
      server: "token",
      agent: "does not know this token",
    },
  ] as const)("$what is refused with $code", ({ code, status, server, agent: says }) =>
    stage.tell(async () => {
      const made = await stage.token({ name: code });
      const token = code === "token_unknown" ? `${made.token.slice(0, -4)}AAAA` : made.token;
      if (code === "token_used")
        expect((await stage.agent("first").enroll(stage.server.origin, token, stage.fake.path)).code).toBe(0);
      if (code === "token_expired")
        await stage.store((db) =>
          db
            .updateTable("enrollments")
            .set({ expires_at: Date.now() - 1 })
            .where("id", "=", made.id)
            .execute(),
        );
      const late = stage.agent(`late-${code}`);
      const { code: exit, said } = await late.enroll(stage.server.origin, token, stage.fake.path);
      expect(exit).toBe(1);
      expect(said).toContain(says);
      expect(said).not.toContain(token);
      expect(existsSync(join(late.configDir, "agent.yaml"))).toBe(false);
      const { status: answered, problem } = await refusal(token);
      expect({ answered, code: problem.code }).toEqual({ answered: status, code });
      expect(problem.message).toContain(server);
    }),
  );
});

describe("a bearer", () => {
  test(
    "of a machine that was removed while it was connected is refused, then and later, with a sentence",
    () =>
      stage.tell(async () => {
        const host = await stage.addReadyHost({ name: "removed" });
        await host.atRest();
        expect((await stage.server.api.ask("DELETE", `/api/hosts/${host.id}`)).status).toBe(204);
        await host.agent.says(/The server says: This machine was removed from restic-manager\. \(revoked\)/);
        await host.agent.says(/Not connected to the server .*Backups go on/);
        await host.agent.kill();
        host.agent.start();
        await host.agent.says(/The server says: This agent's bearer is not known here, or was revoked/);
        await stage.server.says(/an agent was turned away: its bearer is not known, or was revoked/);
        await host.agent.kill();
      }),
    30_000,
  );

  test(
    "on another machine is refused while the first one is connected, and the host's page says so",
    () =>
      stage.tell(async () => {
        const host = await stage.addReadyHost({ name: "cloned" });
        await host.atRest();
        const clone = copyOf(host, "the-clone", otherMachine(join(stage.folder, "machine-id")));
        clone.start();
        await clone.says(/The server says: Another machine is connected with this bearer/);
        const problem = await until(
          "the page says so",
          async () => (await host.look()).link_problem ?? undefined,
        );
        expect(problem).toMatchObject({ code: "clone", message: expect.stringContaining("Was it cloned?") });
        // The first one never noticed.
        expect((await host.finished((await host.backUp()).id)).state).toBe("succeeded");
        expect(host.agent.tail()).not.toContain("Not connected");
        await clone.kill();
      }),
    30_000,
  );

  test(
    "on the same machine moves to the newest agent, and the older one does not fight for it",
    () =>
      stage.tell(async () => {
        const host = await stage.addReadyHost({ name: "twice" });
        await host.atRest();
        const newer = copyOf(host, "the-newer");
        newer.start();
        await newer.says(/Connected to the server/);
        await host.agent.says(/Not connected to the server \(a newer connection of this host took over/);
        const moved = new HostOnStage(stage.server, newer, host.id, host.name);
        expect((await moved.finished((await moved.backUp()).id)).state).toBe("succeeded");
        expect(newer.tail()).not.toContain("Not connected");
        await newer.kill();
      }),
    30_000,
  );

  test(
    "cannot be used by a second agent on the same state folder, which would end the first one's backup",
    () =>
      stage.tell(async () => {
        const host = await stage.addReadyHost({ name: "same-folder" });
        await host.atRest();
        stage.fake.play({ backup: { wait_for: "second-agent" } });
        const { id } = await host.backUp();
        await until("restic runs", () => stage.fake.isWaiting());
        const second = stage.agent("second", { stateDir: host.agent.stateDir });
        cpSync(host.agent.configDir, second.configDir, { recursive: true });
        second.start();
        expect(await second.ended()).toBe(1);
        expect(second.tail()).toContain("another agent runs on this state folder");
        stage.fake.release("second-agent");
        expect((await host.finished(id)).state).toBe("succeeded");
        stage.fake.play({});
      }),
    30_000,
  );

  /** Another agent with the same identity and a memory of its own. */
  function copyOf(host: HostOnStage, name: string, prefix: string[] = []): AgentProcess {
    const copy = stage.agent(name, { prefix });
    cpSync(host.agent.configDir, copy.configDir, { recursive: true });
    return copy;
  }
});

describe("a damaged file of the agent is refused by name and left as it is", () => {
  let host: HostOnStage;
  beforeAll(async () => {
    host = await stage.addReadyHost({ name: "damaged" });
    await host.atRest();
    await host.agent.kill();
    // What the write-ahead log holds would heal the file.
    settleDatabase(host.agent.stateDir);
  });

  const flip = (path: string) => {
    const bytes = readFileSync(path);
    bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
    writeFileSync(path, bytes);
  };
  test.each([
    { file: "secrets.enc", damage: "a flipped bit", how: flip },
    { file: "secrets.enc", damage: "cut short", how: (path: string) => truncateSync(path, 20) },
    { file: "agent.yaml", damage: "no YAML", how: (path: string) => writeFileSync(path, "server: [\n") },
    { file: "agent.yaml", damage: "empty", how: (path: string) => writeFileSync(path, "") },
    {
      file: "agent.db",
      damage: "no database",
      how: (path: string) => writeFileSync(path, "x".repeat(5_000)),
    },
    { file: "agent.db", damage: "cut short", how: (path: string) => truncateSync(path, 5_000) },
  ])("$file, $damage", ({ file, how }) =>
    stage.tell(async () => {
      const path = join(file === "agent.db" ? host.agent.stateDir : host.agent.configDir, file);
      const whole = `${path}.whole`;
      copyFileSync(path, whole);
      how(path);
      const damaged = readFileSync(path);
      try {
        host.agent.start();
        expect(await host.agent.ended()).toBe(78);
        expect(host.agent.tail()).toContain(path);
        expect(host.agent.tail()).toContain("was left as it is");
        expect(readFileSync(path).equals(damaged)).toBe(true);
      } finally {
        copyFileSync(whole, path);
      }
    }),
  );

  test("and with the file back in its place the agent goes on", () =>
    stage.tell(async () => {
      host.agent.start();
      await host.online();
      expect((await host.finished((await host.backUp()).id)).state).toBe("succeeded");
    }));
});
