import { AgentFileError, readAgentFile, secretsIn } from "../agent-file.ts";
import { AgentDbError } from "../db.ts";
import { agentPaths } from "../paths.ts";
import { runAgent } from "../run.ts";
import { SecretsError } from "../secrets.ts";
import { type Command, type CommandContext, EXIT, FOLDER_FLAGS, text } from "./command.ts";

/** `run`: stays connected and backs up until it is told to end. */
export const runCommand: Command = {
  summary: "stay connected and back up, until told to end",
  flags: FOLDER_FLAGS,
  run: runRun,
};

async function runRun({ flags, env, log, signal }: CommandContext) {
  const paths = agentPaths({
    configDir: text(flags, "config-dir"),
    stateDir: text(flags, "state-dir"),
    programData: env["ProgramData"],
  });
  try {
    const file = readAgentFile(paths.agentFile, (message) => log.warn(message));
    if (file === undefined) {
      log.error(
        `this machine is not enrolled: there is no ${paths.agentFile}. Run restic-manager-agent enroll first.`,
      );
      return EXIT.misconfigured;
    }
    for (const secret of secretsIn(file)) log.hide(secret);
    await runAgent({ paths, file, env, signal, log });
    return EXIT.ok;
  } catch (error) {
    log.error(error instanceof Error ? error.message : String(error));
    const damaged =
      error instanceof AgentFileError ||
      error instanceof SecretsError ||
      (error instanceof AgentDbError && error.damaged);
    return damaged ? EXIT.misconfigured : EXIT.failed;
  }
}
