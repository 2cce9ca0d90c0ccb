import { join } from "node:path";
import { readSysinfo } from "@restic-manager/agent/sysinfo";
import { RawAgent } from "../../e2e/stage/raw-agent.ts";
import { fuzz, fuzzBare } from "./fuzz.ts";
import type { ChaosHost } from "./host.ts";
import type { Action, Jump } from "./plan.ts";
import { seeded } from "./seeded.ts";
import type { World } from "./world.ts";
import type { Ledger } from "./ledger.ts";

const TWO_HOURS_MS = 2 * 60 * 60_000;
/** Clocks stay within so much of where they began. */
const FARTHEST_MS = 5 * 60 * 60_000;

/** Does one thing of the plan, and undoes it after its time. */
export async function perform(world: World, ledger: Ledger, action: Action): Promise<void> {
  const { server, keeper, hosts, touched } = world;
  const hostOf = (index: number): ChaosHost => {
    const host = hosts[index];
    if (host === undefined) throw new Error(`there is no host ${index}`);
    host.touched.add(action.do);
    return host;
  };
  switch (action.do) {
    case "kill_server":
      return await keeper.down(() => server.kill(), action.for);
    case "stop_server":
      return await keeper.down(async () => void (await server.stop()), action.for);
    case "kill_all": {
      touched.add("kill_all");
      const victims = hosts.map((host) => {
        for (const pid of host.children()) killNow(pid);
        return host.keeper.down(() => host.agent.kill(), action.for);
      });
      await Promise.all([keeper.down(() => server.kill(), action.for), ...victims]);
      return;
    }
    case "kill_agent": {
      const host = hostOf(action.host);
      return await host.keeper.down(() => host.agent.kill(), action.for);
    }
    case "stop_agent": {
      const host = hostOf(action.host);
      return await host.keeper.down(() => stopAgent(host), action.for);
    }
    case "kill_restic": {
      const host = hostOf(action.host);
      // It may be between two runs just now.
      const late = performance.now() + action.for;
      while (performance.now() < late) {
        const children = host.children();
        for (const pid of children) killNow(pid);
        if (children.length > 0) return;
        await Bun.sleep(20);
      }
      return;
    }
    case "freeze_server":
      return await keeper.inTurn(async () => {
        if (!keeper.running) return;
        server.signal("SIGSTOP");
        await Bun.sleep(action.for);
        server.signal("SIGCONT");
      });
    case "freeze_agent": {
      const host = hostOf(action.host);
      return await host.keeper.inTurn(async () => {
        if (!host.keeper.running) return;
        host.agent.signal("SIGSTOP");
        await Bun.sleep(action.for);
        host.agent.signal("SIGCONT");
      });
    }
    case "cut":
      return hostOf(action.host).wire.cut();
    case "cut_mid_frame":
      return hostOf(action.host).wire.cutMidFrame(action.towards);
    case "garble":
      return hostOf(action.host).wire.garble(action.towards, seeded(action.seed).bytes(64));
    case "stall":
      hostOf(action.host).wire.hold();
      await Bun.sleep(action.for);
      return hostOf(action.host).wire.heal();
    case "slow":
      hostOf(action.host).wire.slow(action.bytesPerSecond);
      await Bun.sleep(action.for);
      return hostOf(action.host).wire.heal();
    case "half_open":
      hostOf(action.host).wire.halfOpen(action.alive);
      await Bun.sleep(action.for);
      return hostOf(action.host).wire.heal();
    case "twice":
      hostOf(action.host).wire.repeat();
      await Bun.sleep(action.for);
      return hostOf(action.host).wire.heal();
    case "second_socket":
      return await secondSocket(world, hostOf(action.host));
    case "fill_store":
      touched.add("fill_store");
      world.storeDisk?.fill();
      await Bun.sleep(action.for);
      world.storeDisk?.relieve();
      return;
    case "fill_outbox": {
      const { disk } = hostOf(action.host);
      disk?.fill();
      await Bun.sleep(action.for);
      disk?.relieve();
      return;
    }
    case "slow_fsync": {
      const whose = action.host === "server" ? world.serverDistortion : hostOf(action.host).distortion;
      whose?.slowFsync(action.ms);
      await Bun.sleep(action.for);
      whose?.slowFsync(0);
      return;
    }
    case "clock":
      return moveClock(world, action.host === "server" ? "server" : hostOf(action.host), action.jump);
    case "restart_store":
      touched.add("restart_store");
      await world.postgres?.stop(action.how);
      await Bun.sleep(action.for);
      await world.postgres?.start();
      return;
    case "restart_bus":
      await world.nats?.kill();
      await Bun.sleep(action.for);
      await world.nats?.start();
      return;
    case "revoke":
      return await revoke(world, ledger, hostOf(action.host), action.for);
    case "fuzz":
      return await fuzzAround(world, action);
    case "cancel": {
      const host = hostOf(action.host);
      const id = ledger.newestOf(host);
      if (id === undefined) return;
      await world.answer(server.api.ask("POST", `/api/jobs/${id}/cancel`, { now: action.now }));
      return;
    }
  }
}

/** A second machine's worth of trouble with the same identity: the older connection is thrown out, as if by an agent that came back. */
async function secondSocket(world: World, host: ChaosHost): Promise<void> {
  await host.keeper.inTurn(async () => {
    if (!host.keeper.running || host.id === undefined) return;
    // Frozen, so that what the second one says of its state stays true until it has said it.
    host.agent.signal("SIGSTOP");
    const second = new RawAgent(world.server.origin, host.id, host.identity().bearer);
    try {
      const jobs = host.jobs().filter(({ state }) => state !== "finished");
      const highest = Number(host.meta("highest_seq") ?? 0);
      const lowest = host.look(
        (db) => db.query<{ seq: number | null }, []>("select min(seq) as seq from outbox").get()?.seq,
      );
      await world.answer(second.connect());
      second.say({
        type: "hello",
        protocol_version: 1,
        machine_id: readSysinfo({ machineIdFile: join(host.agent.stateDir, "machine-id") }).machine_id,
        epoch: host.meta("epoch"),
        outbox: { lowest: lowest ?? highest + 1, highest },
        jobs: jobs.map(({ id, state }) => ({ id, state })),
      });
      await world.answer(second.hears("welcome"));
    } finally {
      second.hangUp();
      host.agent.signal("SIGCONT");
    }
  });
  // It was told that another one lives and would come back in minutes; a person restarts it.
  await host.keeper.down(() => stopAgent(host), 0);
}

function moveClock({ era, serverDistortion }: World, whose: "server" | ChaosHost, jump: Jump): void {
  const distortion = whose === "server" ? serverDistortion : whose.distortion;
  if (distortion === undefined) return;
  const wanted = {
    "+2h": distortion.now + TWO_HOURS_MS,
    "-2h": distortion.now - TWO_HOURS_MS,
    // Some way before, so that the change comes while the round lasts.
    dst: era.change - 700,
    home: distortion.home,
  }[jump];
  distortion.moveClock(Math.abs(wanted - era.begin) > FARTHEST_MS ? distortion.home : wanted);
}

/** Removes the host, which may be at work, and makes its machine a new one after a while. */
async function revoke(world: World, ledger: Ledger, host: ChaosHost, forMs: number): Promise<void> {
  const { id } = host;
  if (id === undefined) return;
  const answer = await world.answer(world.server.api.ask("DELETE", `/api/hosts/${id}`));
  if (!answer.ok) return;
  host.id = undefined;
  ledger.removed(id);
  await Bun.sleep(forMs);
  await rejoin(world, host);
}

/** Enrols a machine whose host was removed. Throws when the server cannot just now. */
export async function rejoin(world: World, host: ChaosHost): Promise<void> {
  await host.keeper.down(
    () => stopAgent(host),
    0,
    async () => {
      if (host.id === undefined) await world.enroll(host);
    },
  );
}

async function fuzzAround(world: World, action: Extract<Action, { do: "fuzz" }>): Promise<void> {
  const port = Number(new URL(world.server.origin).port);
  if (!action.bearer) return await fuzzBare(port, action.seed);
  const peer = await world.answer(RawAgent.enroll(world, `fuzz-${action.seed}`));
  try {
    await world.answer(peer.connect());
    if (action.seed % 2 === 0) await world.answer(peer.greet());
    fuzz(peer, action.frames, action.seed);
    // What it was told is told before it goes.
    await Bun.sleep(100);
  } finally {
    peer.hangUp();
    world.spare.add(peer.hostId);
  }
}

/** As a service manager does, which loses patience. */
async function stopAgent(host: ChaosHost): Promise<void> {
  host.agent.signal("SIGTERM");
  const patience = setTimeout(() => host.agent.signal("SIGKILL"), 5_000);
  await host.agent.ended();
  clearTimeout(patience);
}

function killNow(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}
