import { z } from "zod";
import type { AgentBinaries } from "../platform/http/agent-binaries.ts";
import { newRoom, route } from "../platform/http/room.ts";
import { enrollmentOfRequest, noteStep, type StepParts } from "./steps.ts";

export interface InstallParts extends StepParts {
  /** The text of deploy/install/install.sh. */
  installScript: string;
  binaries: AgentBinaries;
}

const machine = z.object({
  os: z.string().max(32),
  arch: z.string().max(32),
  for: z.string().max(64).optional(),
});
const file = (type: string, description: string) => ({
  200: { description, content: { [type]: { schema: z.string() } } },
});
const script = route({
  method: "get",
  path: "/install/install.sh",
  access: "nobody",
  summary: "The script that installs and enrols an agent on Linux",
  request: { query: z.object({ for: z.string().max(64).optional() }) },
  responses: file("text/x-shellscript", "A script for /bin/sh"),
});
const binary = route({
  method: "get",
  path: "/agent/binary",
  access: "nobody",
  summary: "The agent's program",
  problems: ["not_found"],
  request: { query: machine },
  responses: file("application/octet-stream", "An executable"),
});
const sum = route({
  method: "get",
  path: "/agent/binary/sha256",
  access: "nobody",
  summary: "The checksum of the agent's program",
  problems: ["not_found"],
  request: { query: machine },
  responses: file("text/plain", "A line that sha256sum --check reads"),
});

/** What a machine fetches before it is a host. Nothing in it is secret. */
export function installRoom(parts: InstallParts) {
  const { binaries, installScript } = parts;
  /** The download matters more than its entry in the ledger. */
  const note = async (request: Request, step: "script_fetched" | "binary_fetched", detail: string | null) => {
    const id = enrollmentOfRequest(request);
    if (id !== undefined) await noteStep(parts, id, step, detail).catch(() => undefined);
  };
  return newRoom()
    .openapi(script, async (c) => {
      await note(c.req.raw, "script_fetched", from(c.get("address")));
      return new Response(installScript, {
        headers: { "content-type": "text/x-shellscript; charset=utf-8", "cache-control": "no-cache" },
      });
    })
    .openapi(binary, async (c) => {
      const answer = binaries.binary(c.req.raw);
      const { os, arch } = c.req.valid("query");
      if (answer.ok) await note(c.req.raw, "binary_fetched", `${os} ${arch}`);
      return answer;
    })
    .openapi(sum, async (c) => binaries.sha256(c.req.raw));
}

function from(address: string | null): string | null {
  return address === null ? null : `by ${address}`;
}
