import { afterEach, expect, test } from "bun:test";
import { ulid } from "ulid";
import { HostId } from "@restic-manager/protocol/ids";
import { startNats, type NatsServer } from "../testing/nats.ts";
import { BusAwayError, type Bus, type BusTopic } from "./bus.ts";
import { systemClock, type Clock } from "./clock.ts";
import { natsAddress } from "./nats-address.ts";
import { natsBus } from "./nats-bus.ts";

const HOST = HostId.parse(ulid());
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

async function nats(options: Parameters<typeof startNats>[0] = {}): Promise<NatsServer> {
  const server = await startNats(options);
  ends.push(() => server.stop());
  return server;
}
function join(url: string, node: string, given: { instance?: string; clock?: Clock } = {}) {
  const errors: unknown[] = [];
  const bus = natsBus({
    address: natsAddress(url),
    clock: given.clock ?? systemClock(),
    node,
    instance: given.instance ?? "test",
    onError: (error) => void errors.push(error),
  });
  ends.push(() => bus.close());
  return { bus, errors };
}
/** The next event of a topic. */
const next = (bus: Bus, topic: BusTopic) =>
  new Promise<unknown>((resolve) => {
    const end = bus.subscribe(topic, (event) => {
      end();
      resolve(event);
    });
  });
async function connected(bus: Bus): Promise<void> {
  if (bus.cutOffSince() !== null) await next(bus, "bus.resync");
}
/** A clock whose timers run at once, so that whoever would wait does not. */
const impatient = (): Clock => {
  let now = 0;
  const system = systemClock();
  const after: Clock["after"] = (ms, run) => {
    const timer = setTimeout(() => {
      now += ms;
      run();
    });
    return () => clearTimeout(timer);
  };
  return { ...system, now: () => now, after };
};

test("what one server publishes the others hear once, and so does it itself", async () => {
  const { url } = await nats();
  const [a, b] = [join(url, "a"), join(url, "b")];
  await Promise.all([connected(a.bus), connected(b.bus)]);
  let here = 0;
  a.bus.subscribe("host.changed", () => (here += 1));
  const there = next(b.bus, "host.changed");
  a.bus.publish("host.changed", { hostId: HOST });
  a.bus.publish("host.changed", { hostId: HOST });
  expect(await there).toEqual({ hostId: HOST });
  // A second message of b comes behind whatever might have come back from it.
  const back = next(a.bus, "host.removed");
  b.bus.publish("host.removed", { hostId: HOST });
  await back;
  expect(here).toBe(2);
  expect([...a.errors, ...b.errors]).toEqual([]);
});

test("installations that share one NATS do not hear each other", async () => {
  const { url } = await nats();
  const [a, other, b] = [join(url, "a"), join(url, "c", { instance: "other" }), join(url, "b")];
  await Promise.all([connected(a.bus), connected(other.bus), connected(b.bus)]);
  let overheard = 0;
  other.bus.subscribe("host.changed", () => (overheard += 1));
  const there = next(b.bus, "host.changed");
  a.bus.publish("host.changed", { hostId: HOST });
  await there;
  expect(overheard).toBe(0);
});

test("a request reaches the server it names, and nobody answers for one that is not there", async () => {
  const { url } = await nats();
  const [a, b] = [join(url, "a"), join(url, "b")];
  await Promise.all([connected(a.bus), connected(b.bus)]);
  const asked: HostId[] = [];
  b.bus.respond("link.deliver", ({ hostIds }) => void asked.push(...hostIds));
  expect(await a.bus.request("b", "link.deliver", { hostIds: [HOST] })).toBe(true);
  expect(asked).toEqual([HOST]);
  expect(await a.bus.request("gone", "link.deliver", { hostIds: [HOST] })).toBe(false);
});

test("a server is there for its own rooms before NATS is, says so, and hears the others once it comes", async () => {
  const first = await startNats();
  await first.stop();
  const { bus } = join(first.url, "a");
  expect(bus.cutOffSince()).not.toBeNull();
  let heard = 0;
  bus.subscribe("host.changed", () => (heard += 1));
  bus.publish("host.changed", { hostId: HOST });
  expect(heard).toBe(1);
  const again = next(bus, "bus.resync");
  await nats({ port: first.port });
  await again;
  expect(bus.cutOffSince()).toBeNull();
}, 20_000);

test("after NATS was away every server is told that it may have missed something", async () => {
  const first = await startNats();
  const [a, b] = [join(first.url, "a"), join(first.url, "b")];
  await Promise.all([connected(a.bus), connected(b.bus)]);
  const cut = Promise.all([next(a.bus, "bus.changed"), next(b.bus, "bus.changed")]);
  await first.stop();
  expect(await cut).toEqual([{ cutOff: true }, { cutOff: true }]);
  const back = Promise.all([next(a.bus, "bus.resync"), next(b.bus, "bus.resync")]);
  await nats({ port: first.port });
  await back;
  const there = next(b.bus, "host.changed");
  if (b.bus.cutOffSince() === null && a.bus.cutOffSince() === null)
    a.bus.publish("host.changed", { hostId: HOST });
  expect(await there).toEqual({ hostId: HOST });
}, 20_000);

test("a request that was made while NATS was away arrives when it is back", async () => {
  const first = await startNats();
  const [a, b] = [join(first.url, "a"), join(first.url, "b")];
  await Promise.all([connected(a.bus), connected(b.bus)]);
  const asked = Promise.withResolvers<HostId[]>();
  b.bus.respond("link.deliver", ({ hostIds }) => asked.resolve(hostIds));
  await first.stop();
  const answer = a.bus.request("b", "link.deliver", { hostIds: [HOST] });
  await nats({ port: first.port });
  // b may come back after a: until then nobody answers for it, which is the truth.
  if (await answer) expect(await asked.promise).toEqual([HOST]);
}, 20_000);

test("a request gives up when NATS stays away", async () => {
  const first = await startNats();
  await first.stop();
  const { bus } = join(first.url, "a", { clock: impatient() });
  const outcome = await bus
    .request("b", "link.deliver", { hostIds: [HOST] })
    .catch((error: unknown) => error);
  expect(outcome).toBeInstanceOf(BusAwayError);
});

test.each([
  ["user and password", ["--user", "ada", "--pass", "p@ss"], "nats://ada:p%40ss@"],
  ["a token", ["--auth", "s3cret"], "nats://s3cret@"],
])("proves who it is with %s", async (_name, args, prefix) => {
  const { port } = await nats({ args });
  const { bus } = join(`${prefix}127.0.0.1:${port}`, "a");
  await connected(bus);
  expect(bus.cutOffSince()).toBeNull();
});
