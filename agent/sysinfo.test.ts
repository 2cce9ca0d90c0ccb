import { afterEach, beforeEach, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { AgentEnroll } from "@restic-manager/protocol/api/enrolment";
import { readSysinfo, type SysinfoSources } from "./sysinfo.ts";

const MACHINE_ID = "0123456789abcdef0123456789abcdef";
let folder: string;
let sources: SysinfoSources;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-sysinfo-"));
  sources = {
    platform: "linux",
    machineIdFile: join(folder, "state", "machine-id"),
    osRelease: [put("os-release", `NAME=X\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n`)],
    machineIds: [put("machine-id", `${MACHINE_ID}\n`)],
    bootId: put("boot_id", "11111111-2222-3333-4444-555555555555\n"),
  };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function put(name: string, content: string): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

test("tells the machine's names and ids, and never the machine id itself", () => {
  const info = readSysinfo(sources);
  expect(info).toMatchObject({
    hostname: hostname(),
    os: "linux",
    os_name: "Debian GNU/Linux 12 (bookworm)",
    boot_id: "11111111-2222-3333-4444-555555555555",
  });
  expect(info.machine_id).toMatch(/^[0-9a-f]{32}$/);
  expect(info.machine_id).not.toBe(MACHINE_ID);
  expect(readSysinfo(sources)).toEqual(info);
  const other = { ...sources, machineIds: [put("other", `${MACHINE_ID.replace("0", "f")}\n`)] };
  expect(readSysinfo(other).machine_id).not.toBe(info.machine_id);
});

test.each(["", "uninitialized\n", "0".repeat(32), "not an id"])(
  "a machine whose own id is %j keeps a random one, private and for good",
  (content) => {
    const without = { ...sources, machineIds: [join(folder, "missing"), put("bad-id", content)] };
    const first = readSysinfo(without).machine_id;
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(readSysinfo(without).machine_id).toBe(first);
    expect(readFileSync(without.machineIdFile, "utf8")).toBe(`${first}\n`);
    expect(statSync(without.machineIdFile).mode & 0o777).toBe(0o600);
  },
);

test.each([
  ["PRETTY_NAME=Alpine", "Alpine"],
  ["PRETTY_NAME='Arch Linux'", "Arch Linux"],
  [`PRETTY_NAME="a \\"b\\" \\$c"`, `a "b" $c`],
  ["NAME=X", "unknown"],
])("the system's name is read from %j", (content, name) => {
  expect(readSysinfo({ ...sources, osRelease: [put("o", `${content}\n`)] }).os_name).toBe(name);
});

test("a bare machine still answers, in a shape the server takes", () => {
  const none = join(folder, "none");
  const info = readSysinfo({ ...sources, osRelease: [none], bootId: none, machineIds: [none] });
  expect(info).toMatchObject({ os_name: "unknown", boot_id: "unknown" });
  const long = readSysinfo({ ...sources, osRelease: [put("long", `PRETTY_NAME=${"x".repeat(5_000)}\n`)] });
  for (const { boot_id: _, ...rest } of [info, long]) {
    expect(AgentEnroll.safeParse({ ...rest, token: "t", agent_version: "1" }).success).toBe(true);
  }
});

test("on Windows the registry is asked, and a random id is kept where it does not answer", () => {
  const reg = put(
    "reg",
    `#!/bin/sh
[ "$1 $3" = "query /v" ] || exit 2
echo
echo "$2"
case "$4" in
  ProductName) printf '    ProductName    REG_SZ    Windows Server 2022 Standard\\r\\n' ;;
  BootId) printf '    BootId    REG_DWORD    0x1f\\r\\n' ;;
  MachineGuid) printf '    MachineGuid    REG_SZ    5E0B6B4C-0000-4000-8000-000000000001\\r\\n' ;;
esac
`,
  );
  chmodSync(reg, 0o755);
  const windows: SysinfoSources = { ...sources, platform: "win32", reg: [reg] };
  const info = readSysinfo(windows);
  expect(info).toMatchObject({ os: "windows", os_name: "Windows Server 2022 Standard", boot_id: "0x1f" });
  expect(info.machine_id).toMatch(/^[0-9a-f]{32}$/);
  const mute = readSysinfo({ ...windows, reg: [join(folder, "no-such-program")] });
  expect(mute).toMatchObject({ os_name: "unknown", boot_id: "unknown" });
  expect(readFileSync(sources.machineIdFile, "utf8").trim()).toBe(mute.machine_id);
});

test("the real machine answers", () => {
  const info = readSysinfo({ machineIdFile: sources.machineIdFile });
  expect(info.hostname).not.toBe("");
  expect(info.machine_id).toMatch(/^[0-9a-f]{32}$/);
});
