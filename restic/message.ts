/** One line of restic's `--json` output, parsed just far enough to ask for its type. */
export type Message = { message_type: string; [field: string]: unknown };

/** Reads a line as a JSON message; undefined when it is plain text, which both streams also carry. */
export function parseMessage(text: string): Message | undefined {
  if (!text.startsWith("{")) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(value: unknown): value is Message {
  return (
    typeof value === "object" &&
    value !== null &&
    "message_type" in value &&
    typeof value.message_type === "string"
  );
}

/** The first line of a message, at most 1,000 characters: some carry a Go stack trace. */
export function firstLine(message: string): string {
  const line = message.trimStart().split("\n", 1)[0] ?? "";
  return line.length > 1000 ? `${line.slice(0, 1000)}…` : line.trimEnd();
}

/** Whether a line belongs to a Go stack trace: a function's full name, or a file behind a tab. */
export function isStackTrace(line: string): boolean {
  return line.startsWith("\t") || /^(?:[\w.-]+\/)*[\w-]+\.[\w.()*]+$/.test(line);
}
