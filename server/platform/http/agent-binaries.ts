import { createHash } from "node:crypto";
import { createReadStream, statSync } from "node:fs";
import { join } from "node:path";
import type { Problem } from "@restic-manager/protocol/api/errors";

/** Which file in `dist/` is the agent for which machine. Nothing else can be asked for. */
export const agentBinaries: Record<string, string> = {
  "linux/x64": "restic-manager-agent",
  "linux/arm64": "restic-manager-agent-linux-arm64",
  "windows/x64": "restic-manager-agent-windows-x64.exe",
};

export interface AgentBinaries {
  /** Answers `/agent/binary?os=&arch=` with the program. */
  binary: (request: Request) => Response;
  /** Answers `/agent/binary/sha256?os=&arch=` with a line that `sha256sum --check` reads. */
  sha256: (request: Request) => Promise<Response>;
}

/**
 * Serves the agents that lie in a folder (what `script/build` leaves in `dist/`).
 *
 * @param folder absolute path; what is missing in it is a 404 that says so.
 */
export function serveAgentBinaries(folder: string): AgentBinaries {
  const sums = new Map<string, { version: string; sum: Promise<string> }>();
  /** The sum of a file is worked out once; a file that changes is another one. */
  const sumOf = (found: Found) => {
    const known = sums.get(found.name);
    if (known?.version === found.version) return known.sum;
    const sum = sha256Of(found.path);
    sums.set(found.name, { version: found.version, sum });
    return sum;
  };
  return {
    binary(request) {
      const found = find(folder, request);
      if (found instanceof Response) return found;
      return new Response(Bun.file(found.path), {
        headers: {
          "Content-Type": "application/octet-stream",
          "Content-Disposition": `attachment; filename="${found.name}"`,
          "Cache-Control": "no-cache",
        },
      });
    },
    async sha256(request) {
      const found = find(folder, request);
      if (found instanceof Response) return found;
      return new Response(`${await sumOf(found)}  ${found.name}\n`, {
        headers: { "Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache" },
      });
    },
  };
}

interface Found {
  name: string;
  path: string;
  /** Changes with the file. */
  version: string;
}

function find(folder: string, request: Request): Found | Response {
  const { searchParams } = new URL(request.url);
  const name = agentBinaries[`${searchParams.get("os")}/${searchParams.get("arch")}`];
  if (name === undefined)
    return notFound(`No such agent. Ask with os/arch as one of: ${Object.keys(agentBinaries).join(", ")}.`);
  const path = join(folder, name);
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isFile())
    return notFound(`This server was installed without the file ${name}. Run script/build.`);
  return { name, path, version: `${stat.ino}:${stat.size}:${stat.mtimeMs}` };
}

function notFound(message: string): Response {
  const problem: Problem = { code: "not_found", message };
  return Response.json(problem, { status: 404, headers: { "Cache-Control": "no-store" } });
}

/** Reads in pieces: the file has a hundred megabytes, and the server's memory is to stay flat. */
async function sha256Of(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const piece of createReadStream(path)) hash.update(piece);
  return hash.digest("hex");
}
