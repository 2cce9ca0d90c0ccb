import { parseMessage } from "../message.ts";

export const versionArgs: readonly string[] = ["version", "--json"];

/** The version in the output of `version`: JSON since 0.17, text before. Undefined if it is no restic's. */
export function parseVersion(lines: readonly string[]): string | undefined {
  for (const line of lines) {
    const message = parseMessage(line);
    if (message?.message_type === "version" && typeof message["version"] === "string")
      return message["version"];
    const text = /^restic (\d+\.\d+\.\d+\S*)/.exec(line)?.[1];
    if (text !== undefined) return text;
  }
  return undefined;
}
