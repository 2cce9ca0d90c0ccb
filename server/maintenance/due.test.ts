import { expect, test } from "bun:test";
import fc from "fast-check";
import { UPKEEP_KINDS, type UpkeepKind } from "@restic-manager/protocol/api/maintenance";
import { zoneOf, type Zone } from "@restic-manager/protocol/fire-times";
import { HostId } from "@restic-manager/protocol/ids";
import { parseCron } from "@restic-manager/protocol/cron";
import { unhinderedFacts } from "../testing/upkeep.ts";
import { decide, hindrance, hindranceOf, LOOK_BACK_MS, type Decision, type UpkeepFacts } from "./due.ts";
import { defaultSettings } from "./settings.ts";

/** A Saturday. */
const NOW = Date.UTC(2026, 10, 21, 12);
const at = (hour: number, day = 21) => Date.UTC(2026, 10, day, hour);
const zone = (name: string): Zone => {
  const found = zoneOf(name);
  if (found === undefined) throw new Error(`no zone ${name}`);
  return found;
};

const fit = unhinderedFacts();
const ran = (createdAt: number, finishedAt: number | null = createdAt + 60_000) => ({
  forget: { createdAt, finishedAt },
  prune: { createdAt, finishedAt },
  check: { createdAt, finishedAt },
});
const cron = (text: string, enabled = true) => ({
  forget: { cron: text, enabled },
  prune: { cron: text, enabled },
  check: { cron: text, enabled, read_data_percent: 0 },
});
const run: Decision = { verdict: "run", at: at(3) };
const skip = (why: Extract<Decision, { verdict: "skip" }>["why"]): Decision => ({
  verdict: "skip",
  at: at(3),
  why,
});

test.each<[string, UpkeepKind, Partial<UpkeepFacts>, Decision]>([
  ["no history: the last 24 hours count", "check", {}, run],
  [
    "no history: what passed longer ago does not",
    "check",
    { settings: cron("0 3 * * 5") },
    { verdict: "later", at: at(3, 27) },
  ],
  ["a run before the last time: due", "check", { latest: ran(at(3, 20)) }, run],
  ["a run at the last time: not yet", "check", { latest: ran(at(3)) }, { verdict: "later", at: at(3, 22) }],
  [
    "a run after the last time: not yet",
    "check",
    { latest: ran(at(9)) },
    { verdict: "later", at: at(3, 22) },
  ],
  [
    "months of absence: one run and not one for each time",
    "check",
    { latest: ran(Date.UTC(2026, 5, 1)) },
    { verdict: "run", at: Date.UTC(2026, 5, 1, 3) },
  ],
  ["one that waits or runs counts", "check", { latest: ran(at(3, 20), null) }, { verdict: "active" }],
  [
    "a long run suppresses the times that it covered",
    "prune",
    { latest: ran(at(3, 20), at(11)) },
    { verdict: "later", at: at(3, 22) },
  ],
  ["turned off", "check", { settings: cron("0 3 * * *", false) }, { verdict: "off" }],
  ["an expression that cannot be read", "check", { settings: cron("often") }, { verdict: "off" }],
  [
    "changed after its time: that time was another setting's",
    "check",
    { countsFrom: at(4), latest: ran(at(3, 19)) },
    { verdict: "later", at: at(3, 22) },
  ],
  [
    "in the machine's own zone",
    "check",
    { zone: zone("America/New_York"), settings: cron("0 8 * * *"), latest: ran(at(14, 20)) },
    { verdict: "later", at: at(13) },
  ],
  [
    "a clock that was set back does not put it off",
    "check",
    { latest: ran(at(3, 29)) },
    { verdict: "later", at: at(3, 22) },
  ],
  ["a machine that is away is skipped", "check", { online: false }, skip("host_offline")],
  ["a host in maintenance mode is skipped", "forget", { paused: true }, skip("host_paused")],
  ["no repository", "check", { repository: "no_credentials" }, skip("no_credentials")],
  ["a repository never opened", "check", { repository: "not_ready" }, skip("repository_not_ready")],
  ["an agent that does not know these kinds", "check", { agentKnows: false }, skip("agent_outdated")],
  ["no restic", "check", { resticOk: false }, skip("restic_missing")],
  ["prune needs what may delete", "prune", { hasAdmin: false }, skip("admin_creds_required")],
  ["forget does not, where nothing was refused", "forget", { hasAdmin: false }, run],
  [
    "forget does, where the everyday credentials are append-only",
    "forget",
    { hasAdmin: false, appendOnly: true },
    skip("admin_creds_required"),
  ],
  ["forget with what may delete", "forget", { appendOnly: true }, run],
  ["check needs no admin credentials", "check", { hasAdmin: false, appendOnly: true }, run],
  [
    "forget without any policy would delete everything",
    "forget",
    { hasRetention: false },
    skip("missing_retention"),
  ],
  ["prune and check need no policy", "prune", { hasRetention: false }, run],
])("%s", (_name, kind, facts, decision) => {
  expect(decide(kind, { ...fit, ...facts }, NOW)).toEqual(decision);
});

test("a reason comes with words, and an unlock needs neither policy nor admin credentials", () => {
  expect(hindrance(null)).toBeNull();
  expect(hindrance("missing_retention")?.message).toContain("keep");
  expect(hindranceOf("unlock", { ...fit, hasAdmin: false, hasRetention: false })).toBeNull();
});

test("whatever the clock does, a kind never runs twice for the same time", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -30, max: 300 }), { maxLength: 60 }), (minutes) => {
      let facts = { ...fit, countsFrom: NOW };
      let now = NOW;
      let newest = NOW;
      let runs = 0;
      for (const step of minutes) {
        now += step * 60_000;
        newest = Math.max(newest, now);
        if (decide("check", facts, now).verdict !== "run") continue;
        runs += 1;
        facts = { ...facts, latest: { ...facts.latest, check: { createdAt: now, finishedAt: now } } };
      }
      // Clocks that were set back may meet a time again; forwards only it is one a day.
      if (minutes.every((step) => step >= 0))
        expect(runs).toBeLessThanOrEqual(Math.floor((newest - at(3)) / LOOK_BACK_MS));
    }),
  );
});

test("defaults are read, stay in the night, and differ from host to host", () => {
  const crons = new Set<string>();
  for (let n = 0; n < 500; n += 1) {
    const settings = defaultSettings(HostId.parse(String(n).padStart(26, "0")));
    for (const kind of UPKEEP_KINDS) {
      const parsed = parseCron(settings[kind].cron);
      expect(parsed).toMatchObject({ ok: true });
      if (parsed.ok) expect(parsed.cron.hours[0]).toBeWithin(1, 8);
    }
    expect(settings.prune.cron.at(-1)).not.toBe(settings.check.cron.at(-1));
    crons.add(settings.forget.cron);
  }
  expect(crons.size).toBeGreaterThan(150);
});
