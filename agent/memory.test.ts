import { expect, test } from "bun:test";
import { codeRanges } from "./memory.ts";

/** One mapping as /proc/PID/smaps writes it. */
function mapping(head: string, anonymousKiB: number): string {
  return `${head}\nSize:              79908 kB\nRss:               24108 kB\nAnonymous:         ${anonymousKiB.toString().padStart(8)} kB\nVmFlags: rd ex mr mw me \n`;
}

test("only the program's own unchanged code and tables are given back", () => {
  const smaps = [
    mapping("00200000-01a39000 r--p 00000000 fe:00 131                                /opt/an agent", 0),
    mapping("01a3a000-0684a000 r-xp 01839000 fe:00 131                                /opt/an agent", 0),
    mapping("0684a000-06b8a000 rw-p 06641000 fe:00 131                                /opt/an agent", 3324),
    mapping("7f0000000000-7f0000100000 rwxp 00000000 00:00 0 ", 20),
    mapping("7f1000000000-7f1000100000 r-xp 00028000 fe:00 77                         /lib/libc.so.6", 0),
  ].join("");
  expect(codeRanges(smaps, "/opt/an agent")).toEqual([
    { start: 0x200000n, bytes: 0x1839000n },
    { start: 0x1a3a000n, bytes: 0x4e10000n },
  ]);
});

test("code in which a debugger has set a breakpoint stays", () => {
  const smaps = mapping("01a3a000-0684a000 r-xp 01839000 fe:00 131                 /opt/agent", 4);
  expect(codeRanges(smaps, "/opt/agent")).toEqual([]);
});

test.if(process.platform === "linux")(
  "a program that gave its memory back has less of it and goes on working",
  async () => {
    const program = `
    const { giveBackMemory } = await import(${JSON.stringify(`${import.meta.dir}/memory.ts`)});
    const { readFileSync } = await import("node:fs");
    const resident = () => Number(/VmRSS:\\s+(\\d+)/.exec(readFileSync("/proc/self/status", "latin1"))[1]);
    const before = resident();
    await giveBackMemory();
    const after = resident();
    const { Database } = await import("bun:sqlite");
    const answer = new Database(":memory:").query("select 6 * 7 as answer").get();
    console.log(JSON.stringify({ before, after, ...answer }));`;
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    const said = JSON.parse(await child.stdout.text());
    expect(said.answer).toBe(42);
    // It is half and more; a runtime that is stored in an odd way may have less to give.
    expect(said.after).toBeLessThan(said.before - 4_000);
  },
);
