import { expect, test } from "bun:test";
import fc from "fast-check";
import { createLog, type LogOptions } from "./log.ts";

function recorder(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const log = createLog({
    write: (line) => lines.push(line),
    now: () => new Date("2026-11-21T02:40:00Z"),
    journal: false,
    ...options,
  });
  return { log, lines };
}

test("one line per event: time, level, message, fields", () => {
  const { log, lines } = recorder();
  log.warn("connection lost", {
    server: "https://a.example",
    code: 1006,
    reason: "went away",
    none: undefined,
  });
  expect(lines).toEqual([
    `2026-11-21T02:40:00.000Z warn connection lost server=https://a.example code=1006 reason="went away"\n`,
  ]);
});

test("for systemd's journal the level is a number in front and there is no time", () => {
  const { log, lines } = recorder({ journal: true });
  log.error("stopped", { error: new Error("no space") });
  expect(lines).toEqual([`<3>stopped error="no space"\n`]);
});

test("debug lines are left out unless asked for", () => {
  const quiet = recorder();
  quiet.log.debug("detail");
  expect(quiet.lines).toEqual([]);
  const loud = recorder({ level: "debug" });
  loud.log.debug("detail");
  expect(loud.lines).toHaveLength(1);
});

test("a line break in a message or a value does not make a second line", () => {
  const { log, lines } = recorder({ journal: true });
  log.info("a\n<0>b", { c: "d\r\ne" });
  expect(lines).toEqual([`<6>a <0>b c="d\\r\\ne"\n`]);
});

test("a writer that throws does not stop the agent", () => {
  const { log } = recorder({
    write: () => {
      throw new Error("EPIPE");
    },
  });
  log.info("still here");
});

test("a known secret never appears, in a message, a value, an error, JSON or a URL", () => {
  const text = fc.string({ minLength: 4, maxLength: 40, unit: "binary" });
  fc.assert(
    fc.property(text, fc.string(), fc.string(), (secret, before, after) => {
      fc.pre(!"[secret]".includes(secret));
      const { log, lines } = recorder();
      log.hide(secret);
      log.info("m", { value: `${before}${secret}${after}`, error: new Error(JSON.stringify({ secret })) });
      log.info(`${secret} at https://u:${encodeURIComponent(secret.toWellFormed())}@h/`);
      const known = `2026-11-21T02:40:00.000Z info m value= error= at https://u:@h/`;
      fc.pre(!known.includes(secret) && !`${before}${after}`.includes(secret));
      return lines.every((line) => !line.replaceAll("[secret]", "\u0000").includes(secret));
    }),
  );
});

test("of two secrets where one contains the other, nothing of the longer is left", () => {
  const { log } = recorder();
  log.hide("pass");
  log.hide("password-of-bob");
  expect(log.redact("x password-of-bob y pass z")).toBe("x [secret] y [secret] z");
});
