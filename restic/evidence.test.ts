import { expect, test } from "bun:test";
import fc from "fast-check";
import { evidenceOf, recorded, recordedVersions } from "./testing/recorded.ts";

test.each(recordedVersions)("%s: a repository that came back is no longer waited for", (version) => {
  const { stderr } = recorded(version, "net_server_restart");
  expect(evidenceOf(stderr.slice(0, 3)).retrying).toBe(true);
  const whole = evidenceOf(stderr);
  expect(whole.retrying).toBe(false);
  expect(whole.retryCause).toMatch(/connect: connection refused$/);
});

test("whatever restic says, the evidence stays small", () => {
  const lines = Array.from({ length: 5000 }, (_, i) => `/src/${i} does not exist, skipping`);
  expect(evidenceOf(lines).missingSources.length).toBe(100);
  const long = evidenceOf(Array.from({ length: 50 }, () => "x y ".repeat(5000)));
  expect(JSON.stringify(long).length).toBeLessThan(25_000);
});

test("no line makes the collector throw", () => {
  const odd = fc.oneof(
    fc.string(),
    fc.json(),
    fc.json().map((json) => `{"message_type":"exit_error","code":${json},"message":${json}}`),
    fc.string().map((s) => `Save(<${s}>) returned error, retrying after 1s: ${s}`),
  );
  fc.assert(
    fc.property(fc.array(odd), (lines) => void evidenceOf(lines)),
    { numRuns: 500 },
  );
});
