import { readFileSync } from "node:fs";

/** What a process keeps of the machine's memory, in MB of 10^6 bytes. */
export interface Memory {
  resident: number;
  /** Its own: what the machine gets back only when the process ends. */
  anonymous: number;
  /** Pages of the program's file, which every process of that program shares and the kernel may drop. */
  file: number;
  /** The most it ever had. */
  peak: number;
}

/** Reads /proc/PID/status, proc(5). Throws when there is no such process. */
export function memoryOf(pid: number): Memory {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  const of = (field: string): number => {
    const kib = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1];
    if (kib === undefined) throw new Error(`/proc/${pid}/status has no ${field}`);
    return (Number(kib) * 1024) / 1e6;
  };
  return { resident: of("VmRSS"), anonymous: of("RssAnon"), file: of("RssFile"), peak: of("VmHWM") };
}

/** Linux' USER_HZ, the unit of /proc/PID/stat, is 100 on every architecture that Bun runs on. */
const TICKS_PER_SECOND = 100;

/** Seconds of CPU, user and system: the process's own, and that of those of its children that have ended. */
export function cpuSecondsOf(pid: number): { own: number; children: number } {
  const stat = readFileSync(`/proc/${pid}/stat`, "latin1");
  // Fields 14 to 17 (utime, stime, cutime, cstime) of proc(5), counted from behind the name, which may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
  return { own: (utime + stime) / TICKS_PER_SECOND, children: (cutime + cstime) / TICKS_PER_SECOND };
}
