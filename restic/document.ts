import type { z } from "zod";
import type { Hooks, ResticContext } from "./context.ts";
import type { Outcome } from "./error.ts";
import { execute, type Command } from "./execute.ts";

/** 64 MiB: about 80,000 snapshots of 785 bytes each. */
const maxDocumentBytes = 64 * 1024 * 1024;

/**
 * Runs a command whose standard output is one JSON document, on one line or many, and parses it. Lines before the
 * document are log.
 */
export async function executeDocument<T>(
  context: ResticContext,
  command: Omit<Command, "onLine" | "maxStdoutLineBytes">,
  schema: z.ZodType<T>,
  hooks: Hooks,
): Promise<Outcome<T>> {
  const lines: string[] = [];
  let size = 0;
  let tooLong = false;
  const { error, redact } = await execute(
    context,
    {
      ...command,
      maxStdoutLineBytes: maxDocumentBytes,
      onLine(stream, { text, cut }) {
        if (stream === "stderr") return false;
        if (lines.length === 0 && !/^\s*[{[]/.test(text)) return text.trim() === "";
        size += text.length;
        tooLong ||= cut || size > maxDocumentBytes;
        if (!tooLong) lines.push(text);
        return true;
      },
    },
    hooks,
  );
  if (error !== undefined) return { ok: false, error };
  const name = command.args[0] ?? "restic";
  if (tooLong) return failed(`the answer of restic ${name} is longer than 64 MiB`);
  try {
    const parsed = schema.safeParse(JSON.parse(lines.join("\n")));
    if (parsed.success) return { ok: true, value: parsed.data };
    const [issue] = parsed.error.issues;
    return failed(
      redact(`restic ${name} answered something unexpected: ${issue?.path.join(".")}: ${issue?.message}`),
    );
  } catch {
    return failed(`restic ${name} answered something that is no JSON`);
  }
}

function failed<T>(message: string): Outcome<T> {
  return { ok: false, error: { code: "failed", message, exitCode: 0, signal: null } };
}
