import { expect, test } from "bun:test";
import { inspect } from "node:util";
import { testClock } from "../testing/clock.ts";
import { createLog } from "./log.ts";
import { Secret } from "./secret.ts";

function capture() {
  const lines: string[] = [];
  return { lines, log: createLog(testClock(Date.UTC(2026, 0, 2)), (line) => lines.push(line)) };
}

test("an event is one line with the time, its level and its facts", () => {
  const { lines, log } = capture();
  log.info("listening", { url: "http://127.0.0.1:8080", agents: 3, left_out: undefined, tls: false });
  expect(lines).toEqual([
    '2026-01-02T00:00:00.000Z info listening url="http://127.0.0.1:8080" agents=3 tls=false\n',
  ]);
});

test("nothing that is logged can make a second line or a control sequence", () => {
  const { lines, log } = capture();
  log.warn("a\nb\u001b[31m", { name: "c\r\nd\u001b[0m" });
  log.error("failed", new Error("one\ntwo", { cause: new Error("three") }));
  for (const line of lines) {
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(line).not.toContain("\u001b");
  }
  expect(lines[1]).toContain("caused by Error: three");
});

test("a registered secret is never written, wherever it appears", () => {
  const { lines, log } = capture();
  log.redact("s3cret-token");
  log.redact("a");
  log.info("with s3cret-token", { url: "http://x/?token=s3cret-token" });
  log.error("failed", new Error("bad s3cret-token"));
  expect(lines.join("")).not.toContain("s3cret-token");
  expect(lines[0]).toContain("with [secret]");
});

test("an endless line is cut", () => {
  const { lines, log } = capture();
  log.info("x".repeat(1_000_000));
  expect(lines[0]?.length).toBeLessThan(9_000);
});

test("a Secret prints as [secret] and gives its value to whoever asks for it", () => {
  const secret = new Secret("hunter2");
  expect([`${secret.toString()}`, JSON.stringify({ secret }), inspect({ secret })].join(" ")).not.toContain(
    "hunter2",
  );
  expect(secret.reveal()).toBe("hunter2");
});
