import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnrollmentProgress, EnrollmentToken } from "@restic-manager/protocol/api/enrolment";
import { build } from "../script/build.ts";
import { house } from "../script/files.ts";
import { type OneMachine, setUpOneMachine } from "../script/trial/one-machine.ts";
import { freePort, type Stage } from "../script/trial/stage.ts";

let stage: Stage;
let machine: OneMachine;

beforeAll(async () => {
  stage = { folder: mkdtempSync(join(tmpdir(), "rm-install-e2e-")), programs: [] };
  const dist = join(house, "dist");
  if (!existsSync(join(dist, "SHA256SUMS"))) await build({ root: house, fast: true });
  const commands = {
    server: [join(dist, "restic-manager-server")],
    agent: [join(dist, "restic-manager-agent")],
  };
  machine = await setUpOneMachine(stage, commands, { port: await freePort(0), source: import.meta.dir });
}, 120_000);
afterAll(async () => {
  for (const program of stage.programs.toReversed()) await program.stop();
  rmSync(stage.folder, { recursive: true, force: true });
});

/** Runs what the console shows, as it is, in a throw-away root folder. */
async function paste(command: string, root: string) {
  const shell = Bun.spawn(["/bin/sh", "-c", command], {
    env: { PATH: process.env["PATH"] ?? "/usr/bin:/bin", RM_ROOT: root },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [out, err, code] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
    shell.exited,
  ]);
  return { out, err, code };
}

test("the command that the console shows makes a host of a machine, once", async () => {
  const wanted = {
    host_name: "second",
    repository_url: "rest:http://127.0.0.1:1/second/",
    username: "second",
  };
  const token = await machine.api.call("POST", "/api/enrollment-tokens", EnrollmentToken, wanted);
  const root = join(stage.folder, "root");

  const first = await paste(token.install_command, root);
  expect([first.code, first.err.includes("install.sh:")]).toEqual([0, false]);
  expect(existsSync(join(root, "etc/restic-manager-agent/agent.yaml"))).toBe(true);
  expect(readFileSync(join(root, "etc/systemd/system/restic-manager-agent.service"), "utf8")).toContain(
    "ExecStart=",
  );
  const progress = await machine.api.call("GET", `/api/enrollment-tokens/${token.id}`, EnrollmentProgress);
  expect(progress.state).toBe("enrolled");
  expect(progress.seen.map(({ step }) => step)).toEqual([
    "created",
    "script_fetched",
    "binary_fetched",
    "enrolled",
  ]);

  const again = await paste(token.install_command, join(stage.folder, "another-root"));
  expect(again.code).toBe(1);
  expect(again.err).toMatch(/token/i);
  expect(existsSync(join(stage.folder, "another-root/etc/restic-manager-agent/agent.yaml"))).toBe(false);
});
