import { readFileSync } from "node:fs";

/**
 * A process that can be recognised later: pids are reused, a pid together with the time it started is not.
 * `startedAt` is opaque; compare it as a whole.
 */
export type ProcessIdentity = { pid: number; startedAt: string };

/** Who has this pid now, or undefined when nobody does (a zombie has ended). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  if (!Number.isSafeInteger(pid) || pid <= 0) return undefined;
  const startedAt = process.platform === "linux" ? fromProc(pid) : fromSystem(pid);
  return startedAt === undefined ? undefined : { pid, startedAt };
}

/** Whether the very same process still runs. */
export function isSameProcess(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.startedAt === identity.startedAt;
}

/** Start in clock ticks since boot, together with the boot's id: ticks alone repeat after a reboot. */
function fromProc(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "latin1").trim();
    return startFromStat(stat, boot);
  } catch {
    return undefined;
  }
}

/** Field 22 of proc(5)'s stat. Field 2 is the program's name, which may hold spaces and brackets itself. */
export function startFromStat(stat: string, bootId: string): string | undefined {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [state] = fields;
  const ticks = fields[19];
  if (state === undefined || ticks === undefined || state === "Z" || state === "X") return undefined;
  return `${bootId}:${ticks}`;
}

function fromSystem(pid: number): string | undefined {
  const argv =
    process.platform === "win32"
      ? ["powershell", "-NoProfile", "-Command", `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`]
      : ["ps", "-o", "lstart=", "-p", String(pid)];
  try {
    const { exitCode, stdout } = Bun.spawnSync(argv, { stdin: "ignore", stderr: "ignore" });
    const text = stdout.toString().trim();
    return exitCode === 0 && text !== "" ? text : undefined;
  } catch {
    return undefined;
  }
}
