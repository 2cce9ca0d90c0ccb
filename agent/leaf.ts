import type { Socket } from "node:net";

/** A server that does not answer so long is not waited for. */
const DEADLINE_MS = 20_000;
/** An answer to CONNECT is a status line and a few headers. */
const LARGEST_PROXY_ANSWER = 16 * 1024;

/**
 * Asks a server for the certificate it shows, as DER, without believing it: nothing else is said on this connection.
 * Through an HTTP proxy where one is named. Throws the system's error, or one that names what refused.
 */
export async function askLeaf(server: URL, proxy?: string, signal?: AbortSignal): Promise<Uint8Array> {
  // A static import would be hoisted to the top of the bundle and stay in the memory of every agent.
  const { connect: connectTcp, isIP } = await import("node:net");
  const { connect: connectTls } = await import("node:tls");
  const host = bare(server.hostname);
  const port = server.port === "" ? 443 : Number(server.port);
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const stop = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
  stop.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
  const open: { destroy(): unknown }[] = [];
  const abort = () => reject(stop.reason);
  stop.addEventListener("abort", abort, { once: true });
  try {
    const tunnel =
      proxy === undefined
        ? undefined
        : openTunnel(connectTcp, new URL(proxy), `${server.hostname}:${port}`, reject);
    if (tunnel !== undefined) open.push(tunnel.socket);
    const ready =
      tunnel === undefined ? undefined : await Promise.race([tunnel.ready, promise.then(() => undefined)]);
    const socket = connectTls({
      ...(ready === undefined ? { host, port } : { socket: ready }),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      // The one place that looks at a certificate nobody vouches for: to compare it with the pin.
      rejectUnauthorized: false,
    });
    open.push(socket);
    socket.once("secureConnect", () => {
      const { raw } = socket.getPeerCertificate();
      if (raw === undefined) reject(new Error(`${server.host} shows no certificate`));
      else resolve(new Uint8Array(raw));
    });
    socket.once("error", reject);
    socket.once("close", () =>
      reject(new Error(`${server.host} closed the connection before it showed a certificate`)),
    );
    return await promise;
  } finally {
    stop.removeEventListener("abort", abort);
    for (const socket of open) socket.destroy();
  }
}

function openTunnel(
  connectTcp: typeof import("node:net").connect,
  proxy: URL,
  target: string,
  fail: (error: Error) => void,
): { socket: Socket; ready: Promise<Socket> } {
  const host = bare(proxy.hostname);
  const port = proxy.port === "" ? 80 : Number(proxy.port);
  if (proxy.protocol !== "http:") throw new Error("a certificate pin works through an http:// proxy only");
  const { promise, resolve } = Promise.withResolvers<Socket>();
  const socket = connectTcp({ host, port });
  socket.once("error", fail);
  socket.once("connect", () => {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    const account =
      user === ":" ? "" : `Proxy-Authorization: Basic ${Buffer.from(user).toString("base64")}\r\n`;
    socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${account}\r\n`);
  });
  let answer = "";
  const closed = () => fail(new Error(`the proxy ${proxy.host} closed the connection`));
  const onData = (data: Buffer) => {
    answer += data.toString("latin1");
    if (!answer.includes("\r\n\r\n")) {
      if (answer.length > LARGEST_PROXY_ANSWER)
        fail(new Error(`the proxy ${proxy.host} does not answer as a proxy does`));
      return;
    }
    socket.off("data", onData);
    socket.off("close", closed);
    if (/^HTTP\/1\.[01] 2\d\d/.test(answer)) resolve(socket);
    else fail(new Error(`the proxy ${proxy.host} refused: ${answer.split("\r\n", 1)[0]}`));
  };
  socket.on("data", onData);
  socket.once("close", closed);
  return { socket, ready: promise };
}

/** An IPv6 address stands in brackets in a URL and without them everywhere else. */
function bare(hostname: string): string {
  return hostname.replace(/^\[(.*)\]$/, "$1");
}
