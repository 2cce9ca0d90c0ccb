import { describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { house, ourFiles } from "./files.ts";
import { circles, importsOf, rules, target, violations, type Edge } from "./floors.ts";

// Its own samples are imports in texts.
const files = ourFiles("*.{ts,tsx}").filter((file) => file !== "script/floors.test.ts");
const texts = await Promise.all(files.map((file) => Bun.file(join(house, file)).text()));
const edges = files.flatMap((file, index) => importsOf(file, texts[index] ?? ""));

describe("the house", () => {
  test("breaks no floor rule", () => {
    expect(violations(edges)).toEqual([]);
  });

  test("has no circle of imports", () => {
    expect(circles(edges)).toEqual([]);
  });

  test("imports only files that are there", () => {
    const ours = edges.filter(({ to }) => !/^(npm|node|bun|virtual):/.test(to));
    const missing = ours.filter(({ to }) => !existsSync(join(house, to)));
    expect(missing.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  // Bun's own parser sees no types, so ours reads the text. It must not see less than the real one.
  test("has no import that this test overlooks", () => {
    const overlooked = files.flatMap((file, index) => {
      const transpiler = new Bun.Transpiler({
        loader: file.endsWith("x") ? "tsx" : "ts",
        tsconfig: { compilerOptions: { jsx: "react" } }, // the newer way refuses some of our JSX
      });
      const seen = new Set(edges.filter(({ from }) => from === file).map(({ to }) => to));
      return transpiler
        .scanImports(texts[index] ?? "")
        .filter(({ kind }) => kind === "import-statement" || kind === "dynamic-import")
        .map(({ path }) => target(file, path))
        .filter((to) => !seen.has(to))
        .map((to) => `${file} imports ${to}`);
    });
    expect(overlooked).toEqual([]);
  });

  test("keeps nothing in folders that say nothing", () => {
    expect(files.filter((file) => /(^|\/)(utils?|helpers?|lib|common|misc)(\/|\.tsx?$)/.test(file))).toEqual(
      [],
    );
  });
});

/** For each rule one import that it must refuse, and a neighbour that it must let pass. */
const samples: { why: string; refused: [string, string]; passes: [string, string] }[] = [
  {
    why: "protocol/ imports zod only",
    refused: ["protocol/hello.ts", `import { ulid } from "ulid";`],
    passes: ["protocol/hello.ts", `import { z } from "zod";`],
  },
  {
    why: "protocol/ knows no other room",
    refused: ["protocol/hello.test.ts", `import { run } from "../restic/run.ts";`],
    passes: ["protocol/hello.test.ts", `import fc from "fast-check";`],
  },
  {
    why: "restic/ imports nothing of ours",
    refused: ["restic/run.ts", `import type { Hello } from "@restic-manager/protocol/hello";`],
    passes: ["restic/run.ts", `import { z } from "zod";`],
  },
  {
    why: "the server never imports restic/",
    refused: ["server/jobs/dispatch.ts", `export { run } from "@restic-manager/restic/run";`],
    passes: ["e2e/backup.test.ts", `import { run } from "@restic-manager/restic/run";`],
  },
  {
    why: "server/ imports protocol/ only",
    refused: ["server/app.ts", `const agent = await import("../agent/link.ts");`],
    passes: ["server/app.ts", `import { hello } from "@restic-manager/protocol/hello";`],
  },
  {
    why: "agent/ imports protocol/ and restic/ only",
    refused: ["agent/link.ts", `import { seal } from "@restic-manager/server/platform/seal";`],
    passes: ["agent/jobs.ts", `import { run } from "@restic-manager/restic/run";`],
  },
  {
    why: "console/ imports the server by `import type` only",
    refused: ["console/api.ts", `import { type App } from "@restic-manager/server/app";`],
    passes: ["console/api.ts", `import type {\n  App,\n} from "@restic-manager/server/app";`],
  },
  {
    why: "console/ imports protocol/ and the server's types only",
    refused: ["console/api.ts", `import type { Outbox } from "../agent/outbox.ts";`],
    passes: ["console/api.ts", `import { Job } from "@restic-manager/protocol/jobs";`],
  },
  {
    why: "a server room imports downward only",
    refused: ["server/link/receive.ts", `import { record } from "../jobs/record.ts";`],
    passes: ["server/jobs/record.ts", `import { ack } from "../link/ack.ts";`],
  },
  {
    why: "rooms on one floor meet through events or app.ts",
    refused: ["server/hosts/store.ts", `import { jobs } from "../jobs/store.ts";`],
    passes: ["server/hosts/store.ts", `import { row } from "./row.ts";`],
  },
  {
    why: "a room of the server needs a floor",
    refused: ["server/attic/box.ts", `import { clock } from "../platform/clock.ts";`],
    passes: ["server/main.ts", `import { app } from "./app.ts";`],
  },
  {
    why: "the server imports bun: modules in platform/ only",
    refused: ["server/jobs/store.ts", `import { Database } from "bun:sqlite";`],
    passes: ["server/platform/db/sqlite.ts", `import { Database } from "bun:sqlite";`],
  },
  {
    why: "the product does not import tests",
    refused: ["server/app.ts", `import { onEveryDatabase } from "./testing/databases.ts";`],
    passes: ["server/jobs/store.test.ts", `import { onEveryDatabase } from "../testing/databases.ts";`],
  },
  {
    why: "fleet/, e2e/ and script/ stand on top",
    refused: ["agent/main.ts", `import { load } from "../fleet/load.ts";`],
    passes: ["fleet/load.ts", `import { link } from "@restic-manager/agent/link";`],
  },
];

describe("the rule", () => {
  test.each(samples)("$why: can fail, and lets its neighbour pass", ({ why, refused, passes }) => {
    expect(violations(importsOf(...refused)).map((one) => one.why)).toContainEqual(
      expect.stringContaining(why),
    );
    expect(violations(importsOf(...passes))).toEqual([]);
  });

  test("has a sample, whichever it is", () => {
    const shown = rules.filter((rule) => samples.some(({ why }) => rule.why.startsWith(why)));
    expect(shown.length).toBe(rules.length);
  });

  test("against circles can fail", () => {
    const circle: Edge[] = [
      { from: "agent/link.ts", to: "agent/outbox.ts", typeOnly: false },
      { from: "agent/outbox.ts", to: "agent/jobs.ts", typeOnly: true },
      { from: "agent/jobs.ts", to: "agent/link.ts", typeOnly: false },
    ];
    expect(circles(circle).map(({ at }) => at)).toEqual([
      "agent/jobs.ts → agent/link.ts → agent/outbox.ts → agent/jobs.ts",
    ]);
    expect(circles(circle.slice(1))).toEqual([]);
  });
});

test("an import is found whatever its form", () => {
  const text = `import "./a.ts";\nimport b from "./b.ts"; import {\n  c,\n} from "./c.ts";\nexport * from "./d.ts";
import type { E } from "./e.ts";\nexport type { F } from "./f.ts";\nimport type from "./g.ts";
type H = typeof import("./h.ts");\nexport const text = "from './no.ts'";\n// import "./no.ts"\n  import "./no.ts";`;
  const found = importsOf("agent/x.ts", text).map(({ to, typeOnly }) => [to.slice(6, 7), typeOnly]);
  expect(Object.fromEntries(found)).toEqual({
    a: false,
    b: false,
    d: false,
    e: true,
    f: true,
    g: false,
    h: false,
  });
});
