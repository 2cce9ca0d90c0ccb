import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RESTORE_PATHS } from "@restic-manager/protocol/jobs/restore";
import { folderOf, foldersAbove, nameOf, within } from "./paths.ts";
import {
  MOST_PICKS,
  NOTHING_PICKED,
  notUtf8,
  tickOf,
  toggle,
  totalsOf,
  type Known,
  type Picked,
  type Picks,
} from "./picks.ts";

const file = (path: string, size = 1): Picked => ({ path, folder: false, size });
const folder = (path: string, below?: { entries: number; bytes: number }): Picked => ({
  path,
  folder: true,
  size: 0,
  ...(below === undefined ? {} : { below }),
});

/** A snapshot by its files and empty folders. */
function world(leaves: readonly string[]): Known & { all: Picked[]; leaves: readonly string[] } {
  const folders = new Set(leaves.flatMap(foldersAbove));
  const all = [...new Set([...leaves, ...folders])]
    .filter((path) => path !== "/")
    .map((path) => (folders.has(path) ? folder(path) : file(path)));
  return {
    leaves,
    all,
    childrenOf: (of) => all.filter(({ path }) => folderOf(path) === of),
    entryOf: (path) => all.find((one) => one.path === path),
  };
}

function covered(picks: Picks, leaves: readonly string[]): Set<string> {
  return new Set(leaves.filter((leaf) => tickOf(picks, leaf) === "all"));
}

function toggled(picks: Picks, entry: Picked, known: Known): Picks {
  const done = toggle(picks, entry, known);
  if (!done.ok) throw new Error(`${entry.path}: ${done.why} ${done.folder}`);
  return done.picks;
}

const step = fc.constantFrom("a", "b", "c");
const leaf = fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => `/${steps.join("/")}`);
/** Leaves of which none lies in another. */
const leaves = fc
  .uniqueArray(leaf, { minLength: 1, maxLength: 10 })
  .map((paths) => paths.filter((path) => !paths.some((other) => other.startsWith(`${path}/`))));

describe("ticking boxes in a tree", () => {
  test("picks what a list of all files would, whatever is ticked in which order", () => {
    fc.assert(
      fc.property(leaves, fc.array(fc.nat()), (paths, clicks) => {
        const known = world(paths);
        let picks = NOTHING_PICKED;
        let wanted = new Set<string>();
        for (const click of clicks) {
          const entry = known.all[click % known.all.length];
          if (entry === undefined) continue;
          const inside = paths.filter((path) => path === entry.path || path.startsWith(`${entry.path}/`));
          const whole = tickOf(picks, entry.path) === "all";
          for (const path of inside) {
            if (whole) wanted.delete(path);
            else wanted.add(path);
          }
          wanted = new Set(wanted);
          picks = toggled(picks, entry, known);
          expect(covered(picks, paths)).toEqual(wanted);
          for (const path of picks.chosen.keys())
            expect(foldersAbove(path).some((above) => picks.chosen.has(above))).toBe(false);
          for (const one of known.all) {
            const below = paths.filter((path) => path === one.path || path.startsWith(`${one.path}/`));
            const ticked = below.filter((path) => wanted.has(path)).length;
            // All that is in a folder is not the folder itself, on whose disk there may be more.
            const ticks = ticked === 0 ? ["none"] : ticked < below.length ? ["some"] : ["some", "all"];
            expect([one.path, ticks]).toEqual([one.path, expect.arrayContaining([tickOf(picks, one.path)])]);
          }
        }
      }),
    );
  });

  test("twice changes nothing", () => {
    fc.assert(
      fc.property(leaves, fc.array(fc.nat(), { maxLength: 6 }), fc.nat(), (paths, clicks, last) => {
        const known = world(paths);
        const at = (n: number) => known.all[n % known.all.length] ?? file("/a");
        const before = clicks.reduce((picks, n) => toggled(picks, at(n), known), NOTHING_PICKED);
        if (tickOf(before, at(last).path) === "some") return;
        const after = toggled(toggled(before, at(last), known), at(last), known);
        expect(covered(after, paths)).toEqual(covered(before, paths));
      }),
    );
  });

  test("out of a folder that is not loaded says which one is needed", () => {
    const known: Known = { childrenOf: () => undefined, entryOf: () => undefined };
    const picks = toggled(NOTHING_PICKED, folder("/srv"), known);
    expect(toggle(picks, file("/srv/a/b"), known)).toEqual({ ok: false, why: "load", folder: "/srv" });
  });

  test("out of a folder of more things than a restore can name is refused", () => {
    const many = Array.from({ length: MOST_PICKS + 2 }, (_, n) => file(`/srv/${n}`));
    const known: Known = { childrenOf: () => many, entryOf: () => undefined };
    const picks = toggled(NOTHING_PICKED, folder("/srv"), known);
    expect(toggle(picks, file("/srv/7"), known)).toEqual({ ok: false, why: "many", folder: "/srv" });
  });

  test("never picks a folder in the stead of what is in it, which might delete more than meant", () => {
    // A backup of /srv/data alone: whatever else is in /srv was never saved.
    const data = world(["/srv/data/x"]);
    expect([...toggled(NOTHING_PICKED, folder("/srv/data"), data).chosen.keys()]).toEqual(["/srv/data"]);
    const root = world(["/a/x", "/b/x"]);
    const picks = root.childrenOf("/")?.reduce((so, one) => toggled(so, one, root), NOTHING_PICKED);
    expect([...(picks?.chosen.keys() ?? [])].toSorted()).toEqual(["/a", "/b"]);
    fc.assert(
      fc.property(leaves, fc.array(fc.nat(), { maxLength: 12 }), (paths, clicks) => {
        const known = world(paths);
        const pressed: string[] = [];
        let picked = NOTHING_PICKED;
        for (const click of clicks) {
          const entry = known.all[click % known.all.length];
          if (entry === undefined) continue;
          pressed.push(entry.path);
          picked = toggled(picked, entry, known);
        }
        for (const path of picked.chosen.keys())
          expect(pressed.some((one) => path === one || path.startsWith(`${one}/`))).toBe(true);
      }),
    );
  });

  test("picks a folder again when what was taken out of it is back", () => {
    const known = world(["/srv/a/x", "/srv/a/y", "/srv/b"]);
    const picks = [folder("/srv"), file("/srv/a/x"), file("/srv/a/x")].reduce(
      (so, one) => toggled(so, one, known),
      NOTHING_PICKED,
    );
    expect([...picks.chosen.keys()]).toEqual(["/srv"]);
  });
});

describe("the running total", () => {
  test("counts files and what is below folders, and says when that is not known yet", () => {
    const known = world([]);
    const picks = [file("/a", 700), folder("/b", { entries: 12, bytes: 3_000 })].reduce(
      (so, one) => toggled(so, one, known),
      NOTHING_PICKED,
    );
    expect(totalsOf(picks, known)).toEqual({ folders: 1, files: 1, items: 14, bytes: 3_700, exact: true });
    const more = toggled(picks, folder("/c"), known);
    expect(totalsOf(more, known)).toMatchObject({ folders: 2, items: 15, exact: false });
    const counted = { entryOf: () => folder("/c", { entries: 5, bytes: 10 }) };
    expect(totalsOf(more, counted)).toMatchObject({ items: 20, bytes: 3_710, exact: true });
  });
});

test("a page knows the protocol's bound", () => expect(MOST_PICKS).toBe(RESTORE_PATHS));

test("a path is taken apart and put together again", () => {
  fc.assert(fc.property(leaf, (path) => expect(within(folderOf(path), nameOf(path))).toBe(path)));
  expect(foldersAbove("/a/b")).toEqual(["/a", "/"]);
  expect(foldersAbove("/")).toEqual([]);
});

test("picks whose names lost bytes that are no UTF-8 are told apart from all others", () => {
  const leaves = ["/srv/caf\ufffd.txt", "/srv/café.txt", "/srv/b"];
  const known = world(leaves);
  const picks = leaves.reduce((some: Picks, path) => {
    const done = toggle(some, file(path), { ...known, childrenOf: () => undefined });
    return done.ok ? done.picks : some;
  }, NOTHING_PICKED);
  expect(notUtf8(picks).map(({ path }) => path)).toEqual(["/srv/caf\ufffd.txt"]);
  expect(notUtf8(NOTHING_PICKED)).toEqual([]);
});
