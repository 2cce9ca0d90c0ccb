import type { TokenParts } from "./token.ts";
import { writeToken } from "./token.ts";

/** What an operator pastes into the shell of the machine. */
export interface EnrollCommands {
  install_command: string;
  enroll_command: string;
}

/**
 * The two commands. The token goes through a pipe into the shell that needs it: as an argument (`sudo env RM_TOKEN=…`) every
 * user of the machine could read it in the process list. `$(command -v sudo)` is nothing where there is no sudo, so that
 * the same line works for root in a bare container.
 *
 * @param baseUrl public address of this server, without a trailing slash.
 */
export function enrollCommands(baseUrl: string, token: TokenParts): EnrollCommands {
  const settings = `export RM_SERVER=${quoted(baseUrl)} RM_TOKEN=${quoted(writeToken(token))}`;
  const script = `${baseUrl}/install/install.sh?for=${token.id}`;
  const settingsFirst = `printf '%s\\n' ${quoted(settings)}`;
  return {
    install_command: `(${settingsFirst}; curl -fsSL ${quoted(script)}) | $(command -v sudo) sh`,
    enroll_command: `(${settingsFirst}; echo 'exec restic-manager-agent enroll --server "$RM_SERVER"') | $(command -v sudo) sh`,
  };
}

/** One word for a POSIX shell, left bare where nothing in it could be read otherwise. */
function quoted(text: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
