import { readFileSync } from "node:fs";
import { arch, hostname } from "node:os";
import { dirname } from "node:path";
import { makePrivateFolder, randomHex, writePrivateFile } from "./atomic-file.ts";

/** What an agent says about its machine, in `enroll` and in `hello`. */
export interface Sysinfo {
  hostname: string;
  /** `linux`, `windows`, `darwin`, or the runtime's own word. */
  os: string;
  /** The system's own name for itself, such as "Debian GNU/Linux 12 (bookworm)". */
  os_name: string;
  /** `x64`, `arm64`, … */
  arch: string;
  /** Another one after each start of the machine; `unknown` where it cannot be told. */
  boot_id: string;
  /** The same for the life of the installed system; 32 hexadecimal digits. */
  machine_id: string;
}

export interface SysinfoSources {
  /** Where a machine without an id of its own keeps a random one. */
  machineIdFile: string;
  platform?: NodeJS.Platform;
  osRelease?: readonly string[];
  machineIds?: readonly string[];
  bootId?: string;
  /** Windows' `reg` program. */
  reg?: readonly string[];
}

/** What an agent calls itself when the machine's own answer is missing. */
const UNKNOWN = "unknown";
const LONGEST_HOSTNAME = 253;
const LONGEST_OS_NAME = 256;
const WINDOWS_NT = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion";
const PREFETCH =
  "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager\\Memory Management\\PrefetchParameters";

/** Looks at the machine. Throws the system's error only when a machine id has to be kept and cannot be. */
export function readSysinfo(sources: SysinfoSources): Sysinfo {
  const platform = sources.platform ?? process.platform;
  const windows = platform === "win32";
  const reg = sources.reg ?? ["reg"];
  const found = windows
    ? {
        os_name: askRegistry(reg, WINDOWS_NT, "ProductName"),
        boot_id: askRegistry(reg, PREFETCH, "BootId"),
        machine_id: askRegistry(reg, "HKLM\\SOFTWARE\\Microsoft\\Cryptography", "MachineGuid"),
      }
    : {
        os_name: prettyName(sources.osRelease ?? ["/etc/os-release", "/usr/lib/os-release"]),
        boot_id: readText(sources.bootId ?? "/proc/sys/kernel/random/boot_id"),
        machine_id: firstMachineId(sources.machineIds ?? ["/etc/machine-id", "/var/lib/dbus/machine-id"]),
      };
  return {
    hostname: (hostname() || UNKNOWN).slice(0, LONGEST_HOSTNAME),
    os: windows ? "windows" : platform,
    os_name: (found.os_name ?? UNKNOWN).slice(0, LONGEST_OS_NAME),
    arch: arch(),
    boot_id: found.boot_id ?? UNKNOWN,
    machine_id:
      found.machine_id === undefined ? keptMachineId(sources.machineIdFile) : derived(found.machine_id),
  };
}

/**
 * machine-id(5) asks that the id itself never leaves the machine: what is sent is derived from it, so that it tells machines
 * apart here and nowhere else.
 */
function derived(machineId: string): string {
  return new Bun.CryptoHasher("sha256", machineId.toLowerCase())
    .update("restic-manager-agent")
    .digest("hex")
    .slice(0, 32);
}

/** A container's or a fresh image's file may be empty, `uninitialized`, or all zeros. */
function firstMachineId(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const text = readText(path);
    if (text !== undefined && isMachineId(text)) return text;
  }
  return undefined;
}

function keptMachineId(path: string): string {
  const kept = readText(path);
  if (kept !== undefined && isMachineId(kept)) return kept;
  const made = randomHex(16);
  makePrivateFolder(dirname(path));
  writePrivateFile(path, `${made}\n`);
  return made;
}

function isMachineId(text: string): boolean {
  return /^[0-9a-f]{32}$/.test(text) && !/^0+$/.test(text);
}

/** os-release(5): the value may be bare, in single or in double quotes. */
function prettyName(paths: readonly string[]): string | undefined {
  for (const path of paths) {
    const line = /^PRETTY_NAME=(.*)$/m.exec(readText(path) ?? "")?.[1]?.trim();
    if (line === undefined || line === "") continue;
    const inner = /^(["'])(.*)\1$/.exec(line)?.[2] ?? line;
    return inner.replaceAll(/\\(["'$`\\])/g, "$1");
  }
  return undefined;
}

function readText(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim();
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}

/** `reg query KEY /v NAME` prints a line of name, type and value, four spaces apart. */
function askRegistry(reg: readonly string[], key: string, name: string): string | undefined {
  try {
    const run = Bun.spawnSync([...reg, "query", key, "/v", name], { stderr: "ignore", stdin: "ignore" });
    if (run.exitCode !== 0) return undefined;
    for (const line of run.stdout.toString().split(/\r?\n/)) {
      const [found, type, value] = line.trim().split(/\s{2,}/);
      if (found === name && type !== undefined && value !== undefined && value !== "") return value;
    }
  } catch {
    // No such program: the caller has another way.
  }
  return undefined;
}
