import { existsSync } from "node:fs";

/**
 * Gives all that lies in a folder to the agent's own user, links themselves and not what they lead to. With the ownership go
 * set-user-id bits and capabilities, which the kernel takes away: nothing restored here runs as somebody else.
 *
 * restic has no flag for it, and as another user it could read neither its cache nor its password.
 *
 * @returns what went wrong, in words; undefined when all was done, or when there was nothing to drop.
 */
export async function dropOwnership(folder: string, kill: AbortSignal): Promise<string | undefined> {
  const uid = process.getuid?.();
  const gid = process.getgid?.();
  if (uid !== 0 || gid === undefined) return undefined;
  const program = ["/usr/bin/chown", "/bin/chown", "/usr/sbin/chown"].find((path) => existsSync(path));
  if (program === undefined) return "chown was not found; the files keep the ownership they had";
  const child = Bun.spawn([program, "-hR", "--", `${uid}:${gid}`, folder], {
    env: {},
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const end = (): void => child.kill("SIGKILL");
  kill.addEventListener("abort", end, { once: true });
  try {
    const [said, code] = await Promise.all([firstWords(child.stderr), child.exited]);
    return code === 0
      ? undefined
      : `some files keep the ownership they had: ${said === "" ? `chown ended with ${code}` : said}`;
  } finally {
    kill.removeEventListener("abort", end);
  }
}

/** False where nobody but the agent's own user can own what it writes. */
export function canDropOwnership(): boolean {
  return process.getuid?.() === 0;
}

/** Reads to the end and keeps the beginning. */
async function firstWords(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) if (text.length < 1_000) text += decoder.decode(chunk, { stream: true });
  return text.split("\n")[0]?.slice(0, 500) ?? "";
}
