import type { Socket, TCPSocketListener } from "bun";
import { Pipe } from "./pipe.ts";
import type { End } from "./plan.ts";
import { ServerFrames } from "./server-frames.ts";

interface Line {
  agent: Socket<Line>;
  server: Socket<Line> | undefined;
  up: Pipe;
  down: Pipe;
  frames: ServerFrames;
  /** Set when one end was left alone with a dead line. */
  half: boolean;
}

/** The network between one agent and the server, which can be cut, held, slowed, spoiled and made to repeat itself. */
export class Wire {
  readonly port: number;
  readonly #listener: TCPSocketListener<Line>;
  readonly #lines = new Set<Line>();
  #repeating = false;
  #holding = false;
  #speed: number | undefined;
  /** Frames that went to the agent twice. */
  repeated = 0;

  constructor(serverPort: number) {
    this.#listener = Bun.listen<Line>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => this.#open(socket, serverPort),
        data: ({ data }, bytes) => data.up.take(bytes),
        drain: ({ data }) => data.down.flow(),
        close: ({ data }) => this.#agentGone(data),
        error: ({ data }) => this.#agentGone(data),
      },
    });
    this.port = this.#listener.port;
  }

  /** How many connections stand, half-open ones included. */
  get lines(): number {
    return this.#lines.size;
  }

  /** Breaks every connection there is. */
  cut(): void {
    for (const line of this.#lines) this.#drop(line);
  }

  /** Lets half of what goes next towards `end` through, then breaks the connection. */
  cutMidFrame(towards: End): void {
    for (const line of this.#lines) {
      const cut = (): void => {
        // What was written leaves first: an end and not a reset.
        line.agent.end();
        line.server?.end();
      };
      (towards === "server" ? line.up : line.down).cutNext(cut);
    }
  }

  /** Puts bytes into the stream that nobody sent. */
  garble(towards: End, bytes: Uint8Array): void {
    for (const line of this.#lines) (towards === "server" ? line.up : line.down).take(bytes);
  }

  /** Nothing goes through, in both directions, and nobody is told. New connections fare no better. */
  hold(): void {
    this.#holding = true;
    for (const { up, down } of this.#lines) for (const pipe of [up, down]) pipe.hold();
  }

  slow(bytesPerSecond: number): void {
    this.#speed = bytesPerSecond;
    for (const { up, down } of this.#lines) for (const pipe of [up, down]) pipe.slow(bytesPerSecond);
  }

  /** Ends only one end's connection; the other believes that it lives on. New connections are made as ever. */
  halfOpen(alive: End): void {
    for (const line of this.#lines) {
      line.half = true;
      line.up.swallow();
      line.down.swallow();
      (alive === "agent" ? line.server : line.agent)?.terminate();
    }
  }

  /** From now on what the server says (commands, acknowledgements, configurations) reaches the agent twice. */
  repeat(): void {
    this.#repeating = true;
  }

  /** A good network again; half-open connections end at last. */
  heal(): void {
    this.#repeating = false;
    this.#holding = false;
    this.#speed = undefined;
    for (const line of this.#lines) {
      if (line.half) this.#drop(line);
      else for (const pipe of [line.up, line.down]) pipe.free();
    }
  }

  stop(): void {
    this.cut();
    this.#listener.stop(true);
  }

  #open(socket: Socket<Line>, serverPort: number): void {
    const line: Line = {
      agent: socket,
      server: undefined,
      up: new Pipe(),
      down: new Pipe(),
      frames: new ServerFrames(),
      half: false,
    };
    socket.data = line;
    this.#lines.add(line);
    line.down.lead(socket);
    if (this.#holding) for (const pipe of [line.up, line.down]) pipe.hold();
    if (this.#speed !== undefined) for (const pipe of [line.up, line.down]) pipe.slow(this.#speed);
    Bun.connect<Line>({
      hostname: "127.0.0.1",
      port: serverPort,
      data: line,
      socket: {
        open: (server) => {
          if (!this.#lines.has(line)) return server.terminate();
          line.server = server;
          line.up.lead(server);
        },
        data: (_, bytes) => this.#fromServer(line, bytes),
        drain: () => line.up.flow(),
        close: () => this.#serverGone(line),
        error: () => this.#serverGone(line),
      },
    }).catch(() => this.#drop(line));
  }

  #fromServer(line: Line, bytes: Uint8Array): void {
    for (const frame of line.frames.feed(bytes)) {
      line.down.take(frame);
      // 0x81: a whole text frame. Others (close, ping) are the transport's own affair.
      if (!this.#repeating || frame[0] !== 0x81) continue;
      line.down.take(frame);
      this.repeated += 1;
    }
  }

  #agentGone(line: Line): void {
    line.down.stop();
    if (line.server === undefined || line.server.readyState !== 1) this.#lines.delete(line);
    // What is held back still goes to the server, once the wire is healed; a dead line says nothing.
    else if (!line.half) line.up.endAfter();
  }

  #serverGone(line: Line): void {
    line.up.stop();
    if (line.agent.readyState !== 1) this.#lines.delete(line);
    else if (!line.half) {
      line.down.take(line.frames.takeRest());
      line.down.endAfter();
    }
  }

  #drop(line: Line): void {
    this.#lines.delete(line);
    line.up.stop();
    line.down.stop();
    line.agent.terminate();
    line.server?.terminate();
  }
}
