import { join } from "node:path";
import { house } from "./files.ts";
import { backUp, setUpOneMachine } from "./trial/one-machine.ts";
import { Program } from "./trial/program.ts";
import { freePort, perform } from "./trial/stage.ts";

/** Server, agent and page from their sources; each starts again or reloads when a file of it changes. */
await perform("development run", async (stage) => {
  const port = await freePort(8080);
  const pagePort = await freePort(5173);
  const page = `http://127.0.0.1:${pagePort}`;
  const bun = process.execPath;
  const commands = {
    server: [bun, "--watch", "--no-clear-screen", join(house, "server/main.ts")],
    agent: [bun, join(house, "agent/main.ts")],
  };
  const machine = await setUpOneMachine(stage, commands, {
    port,
    baseUrl: page,
    source: join(house, "server"),
  });
  await backUp(machine);
  const vite = new Program({
    name: "vite",
    argv: [bun, "--bun", "node_modules/.bin/vite", "--port", String(pagePort), "--strictPort"],
    cwd: join(house, "console"),
    env: { RM_DEV_SERVER: `http://127.0.0.1:${port}`, HOME: stage.folder },
    logFile: join(stage.folder, "vite.log"),
  });
  stage.programs.push(vite);
  await vite.says(/ready in/);
  const { username, password } = machine.admin;
  console.log(`
  Console   ${page} (reloads by itself; so does the server, on port ${port})
  Sign in   ${username}
  Password  ${password}
  Logs      ${stage.folder}

Ctrl-C ends it and removes what it made.`);
  return "stay";
});
