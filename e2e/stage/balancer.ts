import type { Socket } from "bun";

interface Pair {
  other: Socket<Pair> | undefined;
  target: number;
  /** What the other side would not take yet. */
  waiting: Uint8Array[];
}

/** Stands before several servers on this machine, as a load balancer for TCP does. */
export interface Balancer {
  port: number;
  /** Sends new connections to these ports from now on, in turn; a port that refuses is passed over. */
  aim(ports: readonly number[]): void;
  /** Connections that are open to a port. */
  open(port: number): number;
  stop(): void;
}

/** Opens one, on every address of this machine. */
export function startBalancer(ports: readonly number[]): Balancer {
  let targets = ports;
  let turn = 0;
  const pairs = new Set<Socket<Pair>>();
  const write = (to: Socket<Pair>, from: Pair, bytes: Uint8Array) => {
    if (from.waiting.length > 0) return void from.waiting.push(bytes.slice());
    const taken = Math.max(0, to.write(bytes));
    if (taken < bytes.length) from.waiting.push(bytes.slice(taken));
  };
  const flush = (to: Socket<Pair>, from: Pair) => {
    for (let next = from.waiting[0]; next !== undefined; next = from.waiting[0]) {
      const taken = Math.max(0, to.write(next));
      if (taken < next.length) return void (from.waiting[0] = next.slice(taken));
      from.waiting.shift();
    }
  };
  const handlers = {
    data(socket: Socket<Pair>, bytes: Uint8Array) {
      const { other } = socket.data;
      if (other === undefined) socket.data.waiting.push(bytes.slice());
      else write(other, socket.data, bytes);
    },
    drain(socket: Socket<Pair>) {
      const { other } = socket.data;
      if (other !== undefined) flush(socket, other.data);
    },
    close(socket: Socket<Pair>) {
      pairs.delete(socket);
      socket.data.other?.end();
    },
    error: (socket: Socket<Pair>) => socket.terminate(),
  };
  /** Tries each server once, beginning with the one whose turn it is. */
  const connect = async (near: Socket<Pair>): Promise<void> => {
    const first = (turn += 1);
    for (let tried = 0; tried < targets.length; tried += 1) {
      const port = targets[(first + tried) % targets.length] ?? 0;
      const far = await Bun.connect<Pair>({
        hostname: "127.0.0.1",
        port,
        data: { other: near, target: port, waiting: [] },
        socket: handlers,
      }).catch(() => undefined);
      if (far === undefined) continue;
      near.data.target = port;
      near.data.other = far;
      return flush(far, near.data);
    }
    near.terminate();
  };
  const listener = Bun.listen<Pair>({
    hostname: "0.0.0.0",
    port: 0,
    socket: {
      ...handlers,
      open(near) {
        near.data = { other: undefined, target: 0, waiting: [] };
        pairs.add(near);
        void connect(near);
      },
    },
  });
  return {
    port: listener.port,
    aim: (next) => void (targets = next),
    open: (port) => [...pairs].filter(({ data }) => data.target === port).length,
    stop() {
      listener.stop(true);
      for (const socket of pairs) socket.terminate();
    },
  };
}
