import { afterAll, afterEach, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned, signedBy, type TestCertificate } from "./test-certificates.ts";
import { startProxy } from "./test-proxy.ts";
import {
  connectionOptions,
  parsePin,
  TlsError,
  type ConnectionOptions,
  type ConnectionSettings,
} from "./tls.ts";

let folder: string;
let own: TestCertificate;
let signed: TestCertificate;
let wrongName: TestCertificate;
let ca: TestCertificate;
const stops: (() => unknown)[] = [];

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-tls-"));
  own = selfSigned(folder, "own");
  ca = selfSigned(folder, "ca");
  signed = signedBy("ca", folder, "signed", "DNS:localhost,IP:127.0.0.1");
  wrongName = signedBy("ca", folder, "wrong-name", "DNS:elsewhere.example");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
afterEach(() => {
  for (const stop of stops.splice(0)) void stop();
});

/** A server that answers `hello` to a request and to a socket. */
function serve(certificate: TestCertificate, port = 0): URL {
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    tls: { cert: certificate.cert, key: certificate.key },
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response("hello")),
    websocket: { open: (socket) => void socket.send("hello"), message() {} },
  });
  stops.push(() => server.stop(true));
  return new URL(`https://localhost:${server.port}`);
}

async function byFetch(server: URL, options: ConnectionOptions): Promise<string> {
  try {
    return await (await fetch(server, options)).text();
  } catch {
    return "refused";
  }
}

function bySocket(server: URL, options: ConnectionOptions): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = new WebSocket(`wss://${server.host}/`, options);
  socket.addEventListener("message", (event) => {
    resolve(String(event.data));
    socket.terminate();
  });
  socket.addEventListener("error", () => resolve("refused"));
  socket.addEventListener("close", () => resolve("refused"));
  return promise;
}

async function both(server: URL, options: ConnectionOptions): Promise<[string, string]> {
  return [await byFetch(server, options), await bySocket(server, options)];
}
const withSettings = async (server: URL, settings: ConnectionSettings) =>
  both(server, await connectionOptions(server, settings));

function mismatch(server: URL, settings: ConnectionSettings): Promise<unknown> {
  return connectionOptions(server, settings).then(
    () => "accepted",
    (error: unknown) => (error instanceof TlsError ? error.code : error),
  );
}
const ACCEPTED: [string, string] = ["hello", "hello"];
const REFUSED: [string, string] = ["refused", "refused"];

test("a self-signed and a CA-signed certificate are accepted by their pin, whatever name is in them", async () => {
  for (const certificate of [own, signed, wrongName]) {
    const server = serve(certificate);
    expect(await withSettings(server, { tls: { pin_sha256: certificate.fingerprint } })).toEqual(ACCEPTED);
  }
});

test("another certificate than the pinned one is refused before anything is said, even when a trusted CA signed it", async () => {
  const tls = { pin_sha256: own.fingerprint, ca_file: ca.certFile };
  expect(await mismatch(serve(signed), { tls })).toBe("pin_mismatch");
  expect(await mismatch(serve(own), { tls: { pin_sha256: signed.fingerprint } })).toBe("pin_mismatch");
});

test("the CA's own pin does not let in what the CA signed", async () => {
  expect(await mismatch(serve(signed), { tls: { pin_sha256: ca.fingerprint } })).toBe("pin_mismatch");
});

test("a server that shows the pinned certificate first and another one then is refused", async () => {
  const good = await connectionOptions(serve(signed), { tls: { pin_sha256: signed.fingerprint } });
  for (const certificate of [own, ca, wrongName])
    expect(await both(serve(certificate), good)).toEqual(REFUSED);
  const goodOwn = await connectionOptions(serve(own), { tls: { pin_sha256: own.fingerprint } });
  expect(await both(serve(signed), goodOwn)).toEqual(REFUSED);
});

test("a pinned CA certificate that serves itself does not vouch for what it signed", async () => {
  const good = await connectionOptions(serve(ca), { tls: { pin_sha256: ca.fingerprint } });
  expect(await both(serve(signed), good)).toEqual(REFUSED);
});

test("a custom CA lets in what it signed for this name, and nothing else", async () => {
  const settings = { tls: { ca_file: ca.certFile } };
  expect(await withSettings(serve(signed), settings)).toEqual(ACCEPTED);
  expect(await withSettings(serve(wrongName), settings)).toEqual(REFUSED);
  expect(await withSettings(serve(own), settings)).toEqual(REFUSED);
});

test("without settings the system's CAs decide", async () => {
  const system = join(folder, "system.crt");
  writeFileSync(system, `# comment\n${own.cert}\n${ca.cert}`);
  const server = serve(signed);
  expect(await withSettings(server, { systemCaFiles: [join(folder, "missing"), system] })).toEqual(ACCEPTED);
  expect(await withSettings(server, {})).toEqual(REFUSED);
  expect(await withSettings(server, { systemCaFiles: [join(folder, "missing")] })).toEqual(REFUSED);
});

test("without TLS there is nothing to judge, and a pin is a mistake that is said", async () => {
  const plain = new URL("http://127.0.0.1:1");
  expect(await connectionOptions(plain, {})).toEqual({});
  expect(await mismatch(plain, { tls: { pin_sha256: own.fingerprint } })).toBe("pin_without_tls");
});

test("a CA file that is missing or holds no certificate is named", async () => {
  const server = new URL("https://localhost:1");
  const empty = join(folder, "empty.pem");
  writeFileSync(empty, "nothing");
  expect(await mismatch(server, { tls: { ca_file: join(folder, "none.pem") } })).toBe("ca_unreadable");
  expect(await mismatch(server, { tls: { ca_file: empty } })).toBe("ca_unreadable");
});

test("through a proxy the same certificates are accepted and refused", async () => {
  const proxy = await startProxy("agent", "p@ss word");
  stops.push(() => proxy.stop());
  const server = serve(signed);
  expect(await withSettings(server, { proxy: proxy.url, tls: { ca_file: ca.certFile } })).toEqual(ACCEPTED);
  expect(proxy.targets).toEqual([server.host, server.host]);
  const pin = { proxy: proxy.url, tls: { pin_sha256: signed.fingerprint } };
  expect(await withSettings(server, pin)).toEqual(ACCEPTED);
  expect(proxy.targets).toHaveLength(5);
  expect(await mismatch(server, { ...pin, tls: { pin_sha256: own.fingerprint } })).toBe("pin_mismatch");
  expect(await both(serve(own), await connectionOptions(server, pin))).toEqual(REFUSED);
});

test("a proxy that refuses, a server that is not there and one without TLS are errors, not waits", async () => {
  const proxy = await startProxy("agent", "right");
  stops.push(() => proxy.stop());
  const tls = { pin_sha256: own.fingerprint };
  const wrong = proxy.url.replace("right", "wrong");
  expect(String(await mismatch(serve(own), { tls, proxy: wrong }))).toContain("407 Who are you");
  expect(String(await mismatch(new URL("https://127.0.0.1:1"), { tls }))).toContain("ECONNREFUSED");
  const plain = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("plain") });
  stops.push(() => plain.stop(true));
  expect(await mismatch(new URL(`https://127.0.0.1:${plain.port}`), { tls })).toBeInstanceOf(Error);
});

test("asking for the certificate ends when the agent is told to stop", async () => {
  const silent = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  stops.push(() => silent.stop(true));
  const stop = new AbortController();
  const server = new URL(`https://127.0.0.1:${silent.port}`);
  const asked = connectionOptions(server, { tls: { pin_sha256: own.fingerprint } }, stop.signal);
  stop.abort(new Error("stopping"));
  expect(asked).rejects.toThrow("stopping");
  await asked.catch(() => undefined);
});

test("a pin is read as openssl, browsers and people write it", () => {
  const hex = own.fingerprint.replaceAll(":", "").toLowerCase();
  for (const text of [own.fingerprint, hex, `sha256:${hex}`, `SHA256=${own.fingerprint}`, ` ${hex}\n`]) {
    expect(parsePin(text)).toBe(hex);
  }
  for (const text of ["", hex.slice(1), `${hex}0`, hex.replace(/./, "g")])
    expect(parsePin(text)).toBeUndefined();
});
