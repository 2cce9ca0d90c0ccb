import { connect, createServer, type AddressInfo, type Socket } from "node:net";

/** A real HTTP proxy that knows CONNECT and asks for an account. */
export interface TestProxy {
  /** With user and password. */
  url: string;
  /** Targets it connected to, in order. */
  targets: string[];
  stop(): void;
}

/** Starts a proxy on a free port of the loopback. */
export async function startProxy(user: string, password: string): Promise<TestProxy> {
  const targets: string[] = [];
  const open = new Set<Socket>();
  const expected = `basic ${Buffer.from(`${user}:${password}`).toString("base64")}`.toLowerCase();
  const server = createServer((client) => {
    open.add(client);
    client.on("error", () => client.destroy());
    client.once("data", (data) => {
      const head = data.toString("latin1");
      const [, host, port] = /^CONNECT ([^ ]+):(\d+) HTTP/.exec(head) ?? [];
      const account = /^proxy-authorization: (.*)$/im.exec(head)?.[1]?.trim().toLowerCase();
      if (host === undefined || port === undefined) return client.end("HTTP/1.1 405 CONNECT only\r\n\r\n");
      if (account !== expected) return client.end("HTTP/1.1 407 Who are you\r\n\r\n");
      targets.push(`${host}:${port}`);
      const upstream = connect(Number(port), "127.0.0.1", () => {
        client.write("HTTP/1.1 200 OK\r\n\r\n");
        client.pipe(upstream).pipe(client);
      });
      open.add(upstream);
      upstream.on("error", () => client.destroy());
    });
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const account = `${encodeURIComponent(user)}:${encodeURIComponent(password)}`;
  return {
    url: `http://${account}@127.0.0.1:${(server.address() as AddressInfo).port}`,
    targets,
    stop() {
      for (const socket of open) socket.destroy();
      server.close();
    },
  };
}
