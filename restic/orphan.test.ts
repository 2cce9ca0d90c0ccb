import { expect, test } from "bun:test";
import { endProcessGroup } from "./orphan.ts";
import { identifyProcess, isSameProcess, startFromStat } from "./process-start.ts";
import { manualTimers } from "./testing/manual-timers.ts";
import { systemTimers } from "./timers.ts";

test("a running process is recognised, a stranger with its pid is not", () => {
  const me = identifyProcess(process.pid);
  expect(me?.pid).toBe(process.pid);
  if (me === undefined) throw new Error("unreachable");
  expect(isSameProcess(me)).toBe(true);
  expect(isSameProcess({ ...me, startedAt: "other-boot:1" })).toBe(false);
});

test("nobody has an impossible pid", () => {
  for (const pid of [0, -1, 2 ** 31, Number.NaN, 1.5]) expect(identifyProcess(pid)).toBeUndefined();
});

test("the start time is found behind a program name with brackets and spaces", () => {
  const rest = Array.from({ length: 30 }, (_, i) => String(i + 4)).join(" ");
  expect(startFromStat(`12 (a) b) S ${rest}`, "boot")).toBe("boot:22");
  expect(startFromStat(`12 (gone) Z ${rest}`, "boot")).toBeUndefined();
});

function orphan(body: string): Bun.Subprocess<"ignore", "pipe", "ignore"> {
  return Bun.spawn(["/bin/sh", "-c", body], {
    detached: true,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
}

async function ready(child: Bun.Subprocess<"ignore", "pipe", "ignore">): Promise<void> {
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
}

test("an orphan that listens is interrupted", async () => {
  const child = orphan("echo ready; exec sleep 600");
  await ready(child);
  const identity = identifyProcess(child.pid);
  if (identity === undefined) throw new Error("not found");
  expect(await endProcessGroup(identity, { timers: systemTimers, killAfterMs: 5_000 })).toBe("interrupted");
  await child.exited;
  expect(child.signalCode).toBe("SIGTERM");
  expect(await endProcessGroup(identity, { timers: systemTimers, killAfterMs: 5_000 })).toBe("gone");
});

test("an orphan that ignores SIGTERM is killed", async () => {
  const child = orphan("trap '' TERM; echo ready; while :; do sleep 0.02; done");
  await ready(child);
  const identity = identifyProcess(child.pid);
  if (identity === undefined) throw new Error("not found");
  expect(await endProcessGroup(identity, { timers: systemTimers, killAfterMs: 30 })).toBe("killed");
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
});

test("a stranger that has got the pid is left alone", async () => {
  const child = orphan("echo ready; exec sleep 600");
  await ready(child);
  const stranger = { pid: child.pid, startedAt: "another boot:1" };
  expect(await endProcessGroup(stranger, { timers: manualTimers(), killAfterMs: 1 })).toBe("gone");
  expect(child.killed).toBe(false);
  expect(identifyProcess(child.pid)).toBeDefined();
  child.kill("SIGKILL");
  await child.exited;
});
