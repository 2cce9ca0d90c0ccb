import { afterEach, beforeEach, expect, test } from "bun:test";
import { until } from "../../e2e/stage/until.ts";
import { Wire } from "./wire.ts";

/** A server that says back what it hears, and how its connections ended. */
let heard: string[];
let ends: number;
let server: Bun.Server<undefined>;
let wire: Wire;
const clients: Client[] = [];

beforeEach(() => {
  heard = [];
  ends = 0;
  server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, here) => (here.upgrade(request) ? undefined : new Response("no", { status: 400 })),
    websocket: {
      idleTimeout: 0,
      message(socket, text) {
        heard.push(String(text));
        socket.send(`re ${String(text).slice(0, 20)}`);
        if (text === "much") socket.send("m".repeat(100_000));
      },
      close: () => void (ends += 1),
    },
  });
  wire = new Wire(server.port ?? 0);
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.terminate();
  wire.stop();
  await server.stop(true);
});

interface Client {
  socket: WebSocket;
  heard: string[];
  over: boolean;
}

async function connect(): Promise<Client> {
  const socket = new WebSocket(`ws://127.0.0.1:${wire.port}/`);
  const client: Client = { socket, heard: [], over: false };
  clients.push(client);
  socket.addEventListener("message", ({ data }) => void client.heard.push(String(data)));
  socket.addEventListener("close", () => void (client.over = true));
  await until("the client is connected", () => socket.readyState === WebSocket.OPEN);
  return client;
}

async function talks(client: Client, text: string): Promise<void> {
  client.socket.send(text);
  await until(`${text} comes back`, () => client.heard.includes(`re ${text.slice(0, 20)}`));
}

test("a wire that is left alone carries everything, large frames too", async () => {
  const client = await connect();
  await talks(client, "a");
  await talks(client, "b".repeat(300_000));
  expect(heard.map((text) => text.length)).toEqual([1, 300_000]);
  client.socket.send("much");
  await until("much comes", () => client.heard.at(-1)?.length === 100_000);
  client.socket.close();
  await until("the server knows", () => ends === 1);
  expect(wire.lines).toBe(0);
});

test("a plain request is answered, whole", async () => {
  const answer = await fetch(`http://127.0.0.1:${wire.port}/`);
  expect(await answer.text()).toBe("no");
});

test("a cut ends both ends; the next connection works", async () => {
  const client = await connect();
  await talks(client, "a");
  wire.cut();
  await until("both know", () => client.over && ends === 1);
  await talks(await connect(), "b");
});

test("a cut mid-frame delivers no frame", async () => {
  const client = await connect();
  await talks(client, "a");
  wire.cutMidFrame("server");
  client.socket.send("x".repeat(5_000));
  await until("both know", () => client.over && ends === 1);
  expect(heard).toEqual(["a"]);

  const other = await connect();
  wire.cutMidFrame("agent");
  other.socket.send("heard and not answered");
  await until("both know", () => other.over && ends === 2);
  expect(heard.at(-1)).toBe("heard and not answered");
  expect(other.heard).toEqual([]);
});

test("a held wire carries nothing until it is healed, and then everything in order", async () => {
  const client = await connect();
  await talks(client, "a");
  wire.hold();
  client.socket.send("b");
  client.socket.send("c");
  const late = new WebSocket(`ws://127.0.0.1:${wire.port}/`);
  await until("the late one's line stands", () => wire.lines === 2);
  expect(heard).toEqual(["a"]);
  expect(late.readyState).toBe(WebSocket.CONNECTING);
  wire.heal();
  await until("the rest comes", () => client.heard.length === 3 && late.readyState === WebSocket.OPEN);
  expect(client.heard).toEqual(["re a", "re b", "re c"]);
  late.terminate();
});

test("an end behind a held wire is heard of once it is healed", async () => {
  const client = await connect();
  await talks(client, "a");
  wire.hold();
  await server.stop(true);
  expect(client.over).toBe(false);
  expect(wire.lines).toBe(1);
  wire.heal();
  await until("the client knows", () => client.over);
  await until("the line is gone", () => wire.lines === 0);
});

test("a slow wire carries everything, in its time", async () => {
  const client = await connect();
  wire.slow(20_000);
  const began = performance.now();
  await talks(client, "s".repeat(4_000));
  // 4,000 bytes at 20,000 a second are at least a tenth of a second, whatever else the machine does.
  expect(performance.now() - began).toBeGreaterThan(100);
  wire.heal();
  await talks(client, "after");
});

test.each(["agent", "server"] as const)(
  "half-open: only the %s believes in the connection",
  async (alive) => {
    const client = await connect();
    await talks(client, "a");
    wire.halfOpen(alive);
    await until("one end knows", () => (alive === "agent" ? ends === 1 : client.over));
    client.socket.send("into the void");
    const next = await connect();
    await talks(next, "b");
    expect(heard).toEqual(["a", "b"]);
    expect(alive === "agent" ? client.over : ends > 0).toBe(false);
    wire.heal();
    await until("the other end knows", () => client.over && ends === 1);
    expect(next.over).toBe(false);
  },
);

test("a repeating wire brings what the server says twice, and what the agent says once", async () => {
  const client = await connect();
  wire.repeat();
  client.socket.send("a");
  client.socket.send("much");
  await until("all came twice", () => client.heard.length === 6);
  expect(client.heard.map((text) => text.length)).toEqual([4, 4, 7, 7, 100_000, 100_000]);
  expect(heard).toEqual(["a", "much"]);
  expect(wire.repeated).toBe(3);
  wire.heal();
  await talks(client, "c");
  expect(client.heard.length).toBe(7);
});

test("a garbled wire ends the connection", async () => {
  const client = await connect();
  await talks(client, "a");
  wire.garble("server", Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0, 1, 2, 3));
  await until("both know", () => client.over && ends === 1);
  expect(heard).toEqual(["a"]);
});
