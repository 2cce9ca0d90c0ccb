import { join } from "node:path";
import { build } from "./build.ts";
import { house } from "./files.ts";
import { backUp, describeBackup, setUpOneMachine } from "./trial/one-machine.ts";
import { proveBackup } from "./trial/proof.ts";
import { found, freePort, perform, watching } from "./trial/stage.ts";

const source = "/usr/share/doc";

const words = process.argv.slice(2);
if (words.some((word) => word !== "--once")) {
  console.error(`script/demo takes --once or nothing, not ${words.join(" ")}`);
  process.exit(2);
}
const once = words.includes("--once");

await perform("demo", async (stage) => {
  console.log("Building…");
  await build({ root: house, fast: true });
  const commands = {
    server: [join(house, "dist/restic-manager-server")],
    agent: [join(house, "dist/restic-manager-agent")],
  };
  console.log("Starting the server and enrolling this machine…");
  const port = await freePort(once ? 0 : 8080);
  const machine = await setUpOneMachine(stage, commands, { port, source });

  console.log(`Backing up ${source}…`);
  const agent = stage.programs.at(-1);
  if (!agent) throw new Error("there is no agent");
  const job = await watching(agent, () => backUp(machine));
  console.log(`\n${describeBackup(job, source)}`);

  if (once) {
    const { username, password, repository_password: repositoryPassword } = machine.token.credentials;
    const access = {
      program: found("RM_TEST_RESTIC", "restic"),
      url: machine.repositoryUrl,
      username: username ?? "",
      password: password ?? "",
      repositoryPassword: repositoryPassword ?? "",
    };
    console.log(`Proven with plain restic: ${await proveBackup(access, source, stage.folder)}.`);
    return "done";
  }
  const { username, password } = machine.admin;
  console.log(`
  Console   http://127.0.0.1:${port}
  Sign in   ${username}
  Password  ${password}

Ctrl-C ends the demo and removes what it made.`);
  return "stay";
});
