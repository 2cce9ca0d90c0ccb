import type { Socket } from "bun";

interface Pair {
  other: Socket<Pair> | null;
  /** What came before the other side was there, or that it would not take yet. */
  waiting: Uint8Array[];
}

/** A way to a server that the test can cut: the network between a browser and the server. */
export interface Cuttable {
  url: string;
  /** Breaks every connection there is. */
  cut: () => void;
  /** While false, new connections are refused as soon as they are made. */
  open: boolean;
  stop: () => void;
}

/** Opens one on a free port. */
export function cuttable(target: string): Cuttable {
  const { hostname, port } = new URL(target);
  const sockets = new Set<Socket<Pair>>();
  const forward = (to: Socket<Pair> | null, from: Pair, bytes: Uint8Array) => {
    if (to === null || from.waiting.length > 0) return void from.waiting.push(bytes.slice());
    const taken = to.write(bytes);
    if (taken < bytes.length) from.waiting.push(bytes.slice(Math.max(0, taken)));
  };
  const drain = (to: Socket<Pair>) => {
    const from = to.data.other?.data;
    while (from !== undefined && from.waiting[0] !== undefined) {
      const [bytes] = from.waiting;
      const taken = to.write(bytes);
      if (taken < bytes.length) {
        from.waiting[0] = bytes.slice(Math.max(0, taken));
        return;
      }
      from.waiting.shift();
    }
  };
  const handlers = {
    data: (socket: Socket<Pair>, bytes: Uint8Array) => forward(socket.data.other, socket.data, bytes),
    drain,
    close(socket: Socket<Pair>) {
      sockets.delete(socket);
      socket.data.other?.end();
    },
    error: (socket: Socket<Pair>) => socket.terminate(),
  };
  const proxy: Cuttable = { url: "", cut, open: true, stop };
  const listener = Bun.listen<Pair>({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      ...handlers,
      open(near) {
        near.data = { other: null, waiting: [] };
        if (!proxy.open) {
          near.terminate();
          return;
        }
        sockets.add(near);
        void Bun.connect<Pair>({
          hostname,
          port: Number(port),
          data: { other: near, waiting: [] },
          socket: {
            ...handlers,
            open(far) {
              sockets.add(far);
              near.data.other = far;
              drain(far);
            },
          },
        }).catch(() => near.terminate());
      },
    },
  });
  function cut(): void {
    for (const socket of sockets) socket.terminate();
    sockets.clear();
  }
  function stop(): void {
    listener.stop(true);
    cut();
  }
  proxy.url = `http://127.0.0.1:${listener.port}`;
  return proxy;
}
