/**
 * The least that 10,000 agents can be connected to: a Bun WebSocket server that welcomes every hello and acknowledges every frame, with
 * constant words and no store. What the product costs beyond this is its own.
 *
 * Arguments: the port; then `--append FILE` to write each durable frame as it comes to the end of a file; `--registry` to know sockets
 * by their bearer, so that `POST /say?bearer=…` sends the request's body to that agent.
 */
const [port, ...flags] = process.argv.slice(2);
const appendTo = flags.includes("--append") ? flags[flags.indexOf("--append") + 1] : undefined;
const registry = flags.includes("--registry") ? new Map<string, Bun.ServerWebSocket<Peer>>() : undefined;
const file = appendTo === undefined ? undefined : Bun.file(appendTo).writer({ highWaterMark: 1024 * 1024 });
const idleSeconds = 90;
const mostFrameBytes = 1024 * 1024;

interface Peer {
  bearer: string | undefined;
  seq: number;
  /** An acknowledgement is about to be sent. */
  acknowledging: boolean;
}

/** One acknowledgement for all that came in this turn of the event loop: one for each frame would slow the agents down. */
function acknowledge(socket: Bun.ServerWebSocket<Peer>): void {
  if (socket.data.acknowledging) return;
  socket.data.acknowledging = true;
  setImmediate(() => {
    socket.data.acknowledging = false;
    socket.send(`{"type":"ack","seq":${socket.data.seq}}`);
  });
}

const welcome = JSON.stringify({
  type: "welcome",
  protocol_version: 1,
  server_time: new Date().toISOString(),
  last_seq: 0,
  next: "continue",
});

/** The number of a durable frame, wherever in its first bytes it stands. */
function seqOf(data: string | Buffer): number {
  const head = typeof data === "string" ? data.slice(0, 64) : data.toString("latin1", 4, 36);
  return Number(/"seq":(\d+)/.exec(head)?.[1] ?? 0);
}

Bun.serve<Peer>({
  hostname: "0.0.0.0",
  port: Number(port),
  async fetch(request, server) {
    const url = new URL(request.url);
    if (url.pathname === "/say") {
      const socket = registry?.get(url.searchParams.get("bearer") ?? "");
      const sent = socket?.send(await request.text()) ?? 0;
      return new Response(null, { status: sent === 0 ? 404 : 204 });
    }
    const bearer = request.headers.get("authorization")?.slice("Bearer ".length);
    const data: Peer = { bearer: registry === undefined ? undefined : bearer, seq: 0, acknowledging: false };
    return server.upgrade(request, { data }) ? undefined : new Response("a benchmark", { status: 426 });
  },
  websocket: {
    idleTimeout: idleSeconds,
    sendPings: true,
    maxPayloadLength: mostFrameBytes,
    open(socket) {
      if (socket.data.bearer !== undefined) registry?.set(socket.data.bearer, socket);
    },
    message(socket, data) {
      if (typeof data === "string" && data.startsWith('{"type":"hello"')) {
        socket.send(welcome);
        return;
      }
      if (typeof data !== "string" || data.startsWith('{"type":"durable"')) {
        socket.data.seq = seqOf(data);
        void file?.write(data);
      }
      acknowledge(socket);
    },
    close(socket) {
      if (socket.data.bearer !== undefined) registry?.delete(socket.data.bearer);
    },
  },
});
process.stdout.write("the bare hub listens\n");
