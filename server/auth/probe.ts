import type { SetupProbeResult } from "@restic-manager/protocol/api/session";
import { z } from "zod";
import type { Clock } from "../platform/clock.ts";

const DEADLINE_MS = 5_000;
/** `/healthz` answers with less than a hundred bytes. */
const MOST_BYTES = 4_096;
const Health = z.object({ instance: z.string() });

/**
 * Asks an address for `/healthz`, to see whether it leads back to the instance `id`. Says only whether it does and why not,
 * never what was found there; follows no redirect and reads little.
 */
export async function probeAddress(baseUrl: string, id: string, clock: Clock): Promise<SetupProbeResult> {
  const deadline = new AbortController();
  const cancel = clock.after(DEADLINE_MS, () => deadline.abort());
  try {
    const answer = await fetch(`${baseUrl}/healthz`, { redirect: "manual", signal: deadline.signal });
    if (answer.status >= 300 && answer.status < 400)
      return no("it answers with a redirect: enter the address it leads to");
    const text = await firstBytes(answer, MOST_BYTES);
    if (!answer.ok) return no(`it answers with status ${answer.status}`);
    const found = Health.safeParse(parseJson(text));
    if (!found.success) return no("something else answers there, not a restic-manager server");
    if (found.data.instance !== id) return no("another restic-manager server answers there");
    return { reachable: true, message: "this address leads to this server" };
  } catch (error) {
    if (deadline.signal.aborted) return no(`nothing answers there within ${DEADLINE_MS / 1_000} s`);
    return no(inWords(error));
  } finally {
    cancel();
  }
}

function no(message: string): SetupProbeResult {
  return { reachable: false, message };
}

async function firstBytes(answer: Response, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const part of answer.body ?? []) {
    text += decoder.decode(part, { stream: true });
    if (text.length > most) break;
  }
  return text.slice(0, most);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function inWords(error: unknown): string {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (/ConnectionRefused|ECONNREFUSED/.test(code)) return "nothing listens there";
  if (/ENOTFOUND|EAI_AGAIN|DNS/i.test(code)) return "its name is not known here";
  if (/CERT|SELF_SIGNED|TLS|SSL|VERIFY/i.test(code)) return `its certificate is not trusted here (${code})`;
  return `it cannot be reached from here${code === "" ? "" : ` (${code})`}`;
}
