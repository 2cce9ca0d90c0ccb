/**
 * Browsers that look at one job's stream, in a process of their own: sockets that take what comes and throw it away, since what a
 * browser does with it is no cost of the server. Told over its parent's channel where to connect; says how it stands when asked, and
 * ends with its parent.
 */
interface Order {
  port: number;
  path: string;
  cookie: string;
  count: number;
}

const state = { open: 0, ended: 0, bytes: 0 };

async function connect({ port, path, cookie }: Order): Promise<void> {
  const request = `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nCookie: ${cookie}\r\nConnection: close\r\n\r\n`;
  let last: Buffer = Buffer.alloc(0);
  await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      open(socket) {
        state.open += 1;
        socket.write(request);
      },
      data(_socket, data) {
        state.bytes += data.byteLength;
        // The last event is small, and may come in two pieces.
        last = data.byteLength > 256 ? data : Buffer.concat([last.subarray(-256), data]);
      },
      close() {
        if (last.includes("event: end")) state.ended += 1;
      },
    },
  });
}

process.on("disconnect", () => process.exit(0));
process.on("message", (message) => {
  if (message === "look") process.send?.(state);
  else {
    // Whoever started this program writes an `Order` and nothing else.
    const order = message as Order;
    void Promise.all(Array.from({ length: order.count }, () => connect(order))).then(() =>
      process.send?.(state),
    );
  }
});
