import type { z } from "zod";
import type { Hooks, ResticContext } from "./context.ts";
import type { Outcome } from "./error.ts";
import { execute, type Command } from "./execute.ts";
import type { Line } from "./lines.ts";
import type { Redact } from "./redact.ts";

/** 64 MiB: about 80,000 snapshots of 785 bytes each. */
export const maxDocumentBytes = 64 * 1024 * 1024;

export type DocumentCollector<T> = {
  /** Takes a line of standard output. Returns true when it is part of the document, else it is log. */
  add(line: Line): boolean;
  /** Whether nothing of a document came. */
  isEmpty(): boolean;
  parse(redact: Redact): Outcome<T>;
};

/** Gathers a JSON document, on one line or many; lines before it are log. `name` is the command, for messages. */
export function documentCollector<T>(name: string, schema: z.ZodType<T>): DocumentCollector<T> {
  const lines: string[] = [];
  let size = 0;
  let tooLong = false;
  return {
    add({ text, cut }) {
      if (lines.length === 0 && !/^\s*[{[]/.test(text)) return text.trim() === "";
      size += text.length;
      tooLong ||= cut || size > maxDocumentBytes;
      if (!tooLong) lines.push(text);
      return true;
    },
    isEmpty: () => lines.length === 0 && !tooLong,
    parse(redact) {
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
    },
  };
}

/**
 * Runs a command whose standard output is one JSON document, on one line or many, and parses it. Lines before the
 * document are log.
 */
export async function executeDocument<T>(
  context: ResticContext,
  command: Omit<Command, "onLine" | "onStdoutBytes" | "maxStdoutLineBytes">,
  schema: z.ZodType<T>,
  hooks: Hooks,
): Promise<Outcome<T>> {
  const document = documentCollector(command.args[0] ?? "restic", schema);
  const { error, redact } = await execute(
    context,
    {
      ...command,
      maxStdoutLineBytes: maxDocumentBytes,
      onLine: (stream, line) => stream === "stdout" && document.add(line),
    },
    hooks,
  );
  return error === undefined ? document.parse(redact) : { ok: false, error };
}

function failed<T>(message: string): Outcome<T> {
  return { ok: false, error: { code: "failed", message, exitCode: 0, signal: null } };
}
