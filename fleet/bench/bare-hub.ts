import { join } from "node:path";
import { Program } from "../../script/trial/program.ts";
import { freePort } from "../fleet-server.ts";

const PROGRAM = join(import.meta.dirname, "bare-hub-program.ts");

/** The baseline of whatever is about connections: see bare-hub-program.ts. In a process of its own. */
export interface BareHub {
  /** On every address of this machine: `startAgents({ port })`. */
  port: number;
  /** For process-figures.ts. */
  pid: number;
  /** Sends a frame to the agent with that bearer; needs `registry`. Throws when it is not connected. */
  say(bearer: string, frame: unknown): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts one. A simulated agent takes it for a server that has nothing to say.
 *
 * @param options.append the file that gets every durable frame as it comes. `registry`: sockets are known by their bearers.
 */
export async function startBareHub(options: {
  folder: string;
  append?: string;
  registry?: boolean;
}): Promise<BareHub> {
  const port = freePort();
  const flags = [
    ...(options.append === undefined ? [] : ["--append", options.append]),
    ...(options.registry === true ? ["--registry"] : []),
  ];
  const program = new Program({
    name: "the bare hub",
    argv: [process.execPath, PROGRAM, String(port), ...flags],
    logFile: join(options.folder, "bare-hub.log"),
  });
  await program.says(/the bare hub listens/);
  return {
    port,
    pid: program.pid,
    async say(bearer, frame) {
      const url = `http://127.0.0.1:${port}/say?bearer=${encodeURIComponent(bearer)}`;
      const { status } = await fetch(url, { method: "POST", body: JSON.stringify(frame) });
      if (status !== 204) throw new Error(`the bare hub answered ${status}: is that agent connected?`);
    },
    stop: () => program.stop(),
  };
}
