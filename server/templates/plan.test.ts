import { expect, test } from "bun:test";
import fc from "fast-check";
import { TemplateContent } from "@restic-manager/protocol/api/templates";
import { ScheduleId, SourceGroupId } from "@restic-manager/protocol/ids";
import { planFor as plan, type HostState, type Origin, type Plan } from "./plan.ts";

type Host = Omit<HostState, "maintenance"> & Partial<Pick<HostState, "maintenance">>;
const planFor = (content: TemplateContent, host: Host, origin: Origin, others: "keep" | "remove"): Plan =>
  plan(content, { maintenance: null, ...host }, origin, others);
const NOTHING: Origin = { groups: {}, schedules: {} };
const groupId = (n: number) => SourceGroupId.parse(`01JD00000000000000000000G${n}`);
const scheduleId = (n: number) => ScheduleId.parse(`01JD00000000000000000000S${n}`);
const content = (given: object = {}) =>
  TemplateContent.parse({
    groups: [{ name: "etc", includes: ["/etc"], retention_policy: { daily: 7 } }],
    schedules: [{ name: "Nightly", cron: "0 3 * * *", groups: ["etc"] }],
    ...given,
  });
const groupOn = (n: number, name: string, given: object = {}) => ({
  id: groupId(n),
  name,
  includes: ["/etc"],
  excludes: [],
  retention_policy: { daily: 7 },
  retry_max: 10,
  retry_backoff_seconds: 60,
  ...given,
});
const scheduleOn = (n: number, groups: number[], given: object = {}) => ({
  id: scheduleId(n),
  cron: "0 3 * * *",
  timezone: null,
  enabled: true,
  spread_seconds: 0,
  groups: groups.map(groupId),
  ...given,
});
const words = (
  host: Host,
  origin: Origin = NOTHING,
  others: "keep" | "remove" = "keep",
  wanted = content(),
) => planFor(wanted, host, origin, others).changes.map(({ what, act, name }) => `${act} ${what} ${name}`);

test("a bare host gets everything, with all that it says", () => {
  const { changes } = planFor(content(), { groups: [], schedules: [] }, NOTHING, "keep");
  expect(changes.map(({ what, act, name }) => [act, what, name])).toEqual([
    ["add", "group", "etc"],
    ["add", "schedule", "Nightly"],
  ]);
  expect(changes[0]?.fields).toContainEqual({ field: "includes", minus: [], plus: ["/etc"], more: 0 });
});

test("a host that has it all already differs in nothing, whoever made it", () => {
  const host = { groups: [groupOn(1, "etc")], schedules: [scheduleOn(1, [1])] };
  expect(words(host)).toEqual([]);
  expect(planFor(content(), host, NOTHING, "keep")).toMatchObject({
    groups: [{ id: groupId(1), changed: false }],
    schedules: [{ id: scheduleId(1), changed: false }],
    others: [],
  });
});

test("a difference names the field, and of a list what goes and what comes", () => {
  const host = {
    groups: [groupOn(1, "etc", { includes: ["/srv", "/etc"], retention_policy: { daily: 3 } })],
    schedules: [scheduleOn(1, [1])],
  };
  expect(planFor(content(), host, NOTHING, "keep").changes).toEqual([
    {
      what: "group",
      act: "change",
      name: "etc",
      fields: [
        { field: "includes", minus: ["/srv"], plus: [], more: 0 },
        { field: "retention_policy.daily", minus: ["3"], plus: ["7"], more: 0 },
      ],
    },
  ]);
});

test("a group of the template that was renamed on the host gets its name back", () => {
  const host = { groups: [groupOn(1, "mine")], schedules: [scheduleOn(1, [1])] };
  const origin = { groups: { etc: groupId(1) }, schedules: { Nightly: scheduleId(1) } };
  expect(words(host, origin)).toEqual(["change group etc", "change schedule Nightly"]);
});

test("another time in the template moves the schedule that came from it, and makes no second one", () => {
  const host = { groups: [groupOn(1, "etc")], schedules: [scheduleOn(1, [1])] };
  const origin = { groups: { etc: groupId(1) }, schedules: { Nightly: scheduleId(1) } };
  const later = content({ schedules: [{ name: "Nightly", cron: "0 4 * * *", groups: ["etc"] }] });
  expect(planFor(later, host, origin, "keep").changes).toEqual([
    {
      what: "schedule",
      act: "change",
      name: "Nightly",
      fields: [{ field: "cron", minus: ["0 3 * * *"], plus: ["0 4 * * *"], more: 0 }],
    },
  ]);
});

test("what the host has beside the template stays unless it is told to go", () => {
  const host = {
    groups: [groupOn(1, "etc"), groupOn(2, "own")],
    schedules: [scheduleOn(1, [1]), scheduleOn(2, [2], { cron: "0 5 * * *" })],
  };
  const kept = planFor(content(), host, NOTHING, "keep");
  expect(kept.changes).toEqual([]);
  expect(kept.others).toEqual([
    { what: "group", name: "own" },
    { what: "schedule", name: "0 5 * * *" },
  ]);
  expect(words(host, NOTHING, "remove")).toEqual(["remove group own", "remove schedule 0 5 * * *"]);
});

test("what came from a template and is no longer in it goes, unless a schedule that stays fires it", () => {
  const origin = { groups: { old: groupId(2) }, schedules: { Old: scheduleId(2) } };
  const groups = [groupOn(1, "etc"), groupOn(2, "old")];
  const schedules = [scheduleOn(1, [1]), scheduleOn(2, [2], { cron: "0 5 * * *" })];
  expect(words({ groups, schedules }, origin)).toEqual(["remove group old", "remove schedule 0 5 * * *"]);
  const own = scheduleOn(3, [2], { cron: "0 6 * * *" });
  expect(words({ groups, schedules: [...schedules, own] }, origin)).toEqual(["remove schedule 0 5 * * *"]);
});

test("maintenance is compared field by field, and left alone by a template that says nothing of it", () => {
  const times = (cron: string, percent = 1) => ({
    forget: { cron, enabled: true },
    prune: { cron: "0 4 * * 0", enabled: false },
    check: { cron: "0 5 * * 3", enabled: true, read_data_percent: percent },
  });
  const host = {
    groups: [groupOn(1, "etc")],
    schedules: [scheduleOn(1, [1])],
    maintenance: times("0 2 * * *"),
  };
  expect(planFor(content(), host, NOTHING, "keep")).toMatchObject({ changes: [], maintenance: null });
  const same = content({ maintenance: times("0 2 * * *") });
  expect(planFor(same, host, NOTHING, "keep")).toMatchObject({ changes: [], maintenance: null });
  const other = content({ maintenance: times("0 3 * * *", 5) });
  expect(planFor(other, host, NOTHING, "keep")).toMatchObject({
    maintenance: times("0 3 * * *", 5),
    changes: [
      {
        what: "maintenance",
        act: "change",
        fields: [
          { field: "forget.cron", minus: ["0 2 * * *"], plus: ["0 3 * * *"] },
          { field: "check.read_data_percent", minus: ["1"], plus: ["5"] },
        ],
      },
    ],
  });
});

test("a template with names like those of an object's own insides is compared as any other", () => {
  const wanted = content({
    groups: [{ name: "__proto__", includes: ["/etc"], retention_policy: { daily: 7 } }],
    schedules: [{ name: "constructor", cron: "0 3 * * *", groups: ["__proto__"] }],
  });
  const host = { groups: [groupOn(1, "__proto__")], schedules: [scheduleOn(1, [1])] };
  expect(words(host, NOTHING, "keep", wanted)).toEqual([]);
});

test("a template is refused that names a thing twice, or a group it does not have", () => {
  const group = { name: "etc", includes: ["/etc"] };
  const paths = (given: object) =>
    TemplateContent.safeParse(given).error?.issues.map((issue) => issue.path.join("."));
  expect(paths({ groups: [group, group] })).toEqual(["groups.1.name"]);
  expect(paths({ groups: [group], schedules: [{ name: "N", cron: "0 3 * * *", groups: ["web"] }] })).toEqual([
    "schedules.0.groups",
  ]);
  expect(paths({ groups: [] })).toEqual(["groups"]);
});

/** What a host is after a plan, as `carry-out.ts` does it. */
function after(host: Host, plan: Plan): { state: Host; origin: Origin } {
  let made = 0;
  const groups = plan.groups.map(({ id, group }) => ({
    ...group,
    id: id ?? SourceGroupId.parse(`01JD0000000000000000NEWG${String((made += 1)).padStart(2, "0")}`),
  }));
  const named = new Map(groups.map((group) => [group.name, group.id]));
  const schedules = plan.schedules.map(({ id, schedule }) => ({
    ...schedule,
    id: id ?? ScheduleId.parse(`01JD0000000000000000NEWS${String((made += 1)).padStart(2, "0")}`),
    groups: schedule.groups.flatMap((name) => named.get(name) ?? []),
  }));
  const placed = new Set<string>([...groups, ...schedules].map(({ id }) => id));
  const stay = <Thing extends { id: string }>(things: readonly Thing[], gone: readonly string[]) =>
    things.filter(({ id }) => !placed.has(id) && !gone.includes(id));
  return {
    state: {
      groups: [...stay(host.groups, plan.removedGroups), ...groups],
      schedules: [...stay(host.schedules, plan.removedSchedules), ...schedules],
    },
    origin: {
      groups: Object.fromEntries(named),
      schedules: Object.fromEntries(schedules.map((schedule) => [schedule.name, schedule.id])),
    },
  };
}

test("whatever a host has and whatever it followed: applied once, nothing is left to do, and every schedule has its groups", () => {
  const name = fc.constantFrom("a", "b", "c");
  const names = fc.uniqueArray(name, { minLength: 1, maxLength: 3 });
  const cron = fc.constantFrom("0 3 * * *", "0 4 * * *");
  const wanted = fc.tuple(names, fc.array(fc.tuple(cron, fc.nat(2)), { maxLength: 3 }));
  const there = fc.tuple(names, fc.array(fc.tuple(cron, fc.nat(2)), { maxLength: 3 }));
  const followed = fc.tuple(fc.dictionary(name, fc.nat(2)), fc.dictionary(name, fc.nat(2)));
  fc.assert(
    fc.property(
      wanted,
      there,
      followed,
      fc.constantFrom("keep", "remove"),
      (template, host, before, others) => {
        const [groups, schedules] = template;
        const said = TemplateContent.parse({
          groups: groups.map((group) => ({ name: group, includes: [`/${group}`] })),
          schedules: schedules.map(([at, group], n) => ({
            name: `S${n}`,
            cron: at,
            groups: [groups[group % groups.length]],
          })),
        });
        const [own, ownSchedules] = host;
        const state: Host = {
          groups: own.map((group, n) => groupOn(n, group)),
          schedules: ownSchedules.map(([at, group], n) => scheduleOn(n, [group % own.length], { cron: at })),
        };
        const [cameGroups, cameSchedules] = before;
        const origin: Origin = {
          groups: Object.fromEntries(Object.entries(cameGroups).map(([key, n]) => [key, groupId(n)])),
          schedules: Object.fromEntries(
            Object.entries(cameSchedules).map(([, n], at) => [`S${at}`, scheduleId(n)]),
          ),
        };
        const done = after(state, planFor(said, state, origin, others));
        const ids = new Set(done.state.groups.map(({ id }) => id));
        for (const schedule of done.state.schedules) {
          expect(schedule.groups.length).toBeGreaterThan(0);
          expect(schedule.groups.every((id) => ids.has(id))).toBe(true);
        }
        expect(planFor(said, done.state, done.origin, others).changes).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});
