import { dirname, join, normalize } from "node:path";

/** One import: which file names which other file (a path from the top of the repository) or package. */
export interface Edge {
  from: string;
  /** A path for our own files; `npm:zod`, `node:fs`, `bun:test`, `virtual:rm:console` for everything else. */
  to: string;
  /** True for `import type` and `export type … from`, which leave nothing behind when the program runs. */
  typeOnly: boolean;
}

export interface Violation {
  at: string;
  why: string;
}

/** A rule of house.md: what it forbids and the sentence that a failure shows. */
interface Rule {
  why: string;
  forbids(edge: Edge): boolean;
}

/** The rooms of the server, from the bottom up. Rooms of one floor meet through events or `app.ts`. */
const serverFloors: string[][] = [
  ["platform"],
  ["auth", "audit", "link"],
  ["hosts", "enrolment", "repositories", "sources", "snapshots", "jobs"],
  ["schedules", "maintenance", "browse", "restore", "compare", "alerts", "metrics", "events", "retention"],
];

/** `app.ts`, `main.ts` and whatever else lies in `server/` itself. */
const topFloor = serverFloors.length;

const house = new Set(["protocol", "restic", "agent", "server", "console", "fleet", "e2e", "script"]);
const isOurs = (path: string) => house.has(roomOf(path));
const roomOf = (path: string) => path.split("/")[0] ?? "";
const isTest = (path: string) =>
  /\.test\.tsx?$/.test(path) || /^(server|protocol|agent)\/testing\//.test(path);

/** The floor of a server file; nothing for a room that has none yet. */
function floorOf(path: string): number | undefined {
  const [, room, ...rest] = path.split("/");
  if (rest.length === 0) return topFloor;
  const floor = serverFloors.findIndex((rooms) => room !== undefined && rooms.includes(room));
  return floor === -1 ? undefined : floor;
}

const serverRoom = (path: string) => (floorOf(path) === topFloor ? "" : (path.split("/")[1] ?? ""));
const insideServer = ({ from, to }: Edge) =>
  roomOf(from) === "server" && roomOf(to) === "server" && !isTest(from) && !isTest(to);

export const rules: Rule[] = [
  {
    why: "protocol/ imports zod only: server, agent and console all carry it, and a page must not drag a database along",
    forbids: ({ from, to }) =>
      roomOf(from) === "protocol" && !isTest(from) && roomOf(to) !== "protocol" && to !== "npm:zod",
  },
  {
    why: "protocol/ knows no other room: it is what they have in common, and must not depend on any side",
    forbids: ({ from, to }) => roomOf(from) === "protocol" && isOurs(to) && roomOf(to) !== "protocol",
  },
  {
    why: "restic/ imports nothing of ours: agent/jobs maps it to the protocol, so a restic upgrade cannot change the wire",
    forbids: ({ from, to }) => roomOf(from) === "restic" && isOurs(to) && roomOf(to) !== "restic",
  },
  {
    why: "the server never imports restic/: pages never run restic, and the data never goes through the server",
    forbids: ({ from, to }) => roomOf(from) === "server" && roomOf(to) === "restic",
  },
  {
    why: "server/ imports protocol/ only: agent, console and the test rooms stand on it, not under it",
    forbids: ({ from, to }) =>
      roomOf(from) === "server" && isOurs(to) && !["server", "protocol", "restic"].includes(roomOf(to)),
  },
  {
    why: "agent/ imports protocol/ and restic/ only: it is small, runs as root and must not carry the server along",
    forbids: ({ from, to }) =>
      roomOf(from) === "agent" && isOurs(to) && !["agent", "protocol", "restic"].includes(roomOf(to)),
  },
  {
    why: "console/ imports the server by `import type` only: anything more would ship server code to the browser",
    forbids: ({ from, to, typeOnly }) => roomOf(from) === "console" && roomOf(to) === "server" && !typeOnly,
  },
  {
    why: "console/ imports protocol/ and the server's types only: it is a client, not an application",
    forbids: ({ from, to }) =>
      roomOf(from) === "console" && isOurs(to) && !["console", "protocol", "server"].includes(roomOf(to)),
  },
  {
    why: "a server room imports downward only: what is below can be read, tested and moved without what is above",
    forbids: (edge) => insideServer(edge) && (floorOf(edge.to) ?? -1) > (floorOf(edge.from) ?? topFloor),
  },
  {
    why: "rooms on one floor meet through events or app.ts: otherwise each becomes a part of the other",
    forbids: (edge) =>
      insideServer(edge) &&
      floorOf(edge.to) === floorOf(edge.from) &&
      serverRoom(edge.to) !== serverRoom(edge.from),
  },
  {
    why: "a room of the server needs a floor: name it in script/floors.ts and in house.md's tree",
    forbids: ({ from }) => roomOf(from) === "server" && !isTest(from) && floorOf(from) === undefined,
  },
  {
    why: "the server imports bun: modules in platform/ only: the runtime is a decision in one place, not a habit",
    forbids: ({ from, to, typeOnly }) =>
      roomOf(from) === "server" &&
      !typeOnly &&
      !isTest(from) &&
      serverRoom(from) !== "platform" &&
      /^(bun:|npm:bun$)/.test(to),
  },
  {
    why: "the product does not import tests or their harness: what ships must not depend on what checks it",
    forbids: ({ from, to }) =>
      ["protocol", "restic", "agent", "server", "console"].includes(roomOf(from)) &&
      !isTest(from) &&
      isTest(to),
  },
  {
    why: "fleet/, e2e/ and script/ stand on top: nothing of the product may need them",
    forbids: ({ from, to }) =>
      ["protocol", "restic", "agent", "server", "console"].includes(roomOf(from)) &&
      ["fleet", "e2e", "script"].includes(roomOf(to)),
  },
];

/** Every import that breaks a rule, with the rule's sentence. */
export function violations(edges: Edge[]): Violation[] {
  return edges.flatMap((edge) =>
    rules
      .filter((rule) => rule.forbids(edge))
      .map((rule) => ({ at: `${edge.from} imports ${edge.to}`, why: rule.why })),
  );
}

/** Every circle of files that import each other, types included, each given once from its first file on. */
export function circles(edges: Edge[]): Violation[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of edges) if (isOurs(to)) next.set(from, [...(next.get(from) ?? []), to]);
  const found: Violation[] = [];
  const done = new Set<string>();
  const walk = (file: string, path: string[]) => {
    const start = path.indexOf(file);
    if (start !== -1) {
      const why = "imports run strictly downward: files in a circle can only be read and tested all at once";
      found.push({ at: [...path.slice(start), file].join(" → "), why });
      return;
    }
    if (done.has(file)) return;
    for (const to of next.get(file) ?? []) walk(to, [...path, file]);
    done.add(file);
  };
  for (const file of [...next.keys()].toSorted()) walk(file, []);
  return found;
}

/**
 * The imports of one file's text. Static ones start a line (oxfmt sees to it); `import("…")` may stand anywhere.
 *
 * @param from the file's path from the top of the repository.
 */
export function importsOf(from: string, text: string): Edge[] {
  const edges: Edge[] = [];
  for (const [, type, name] of text.matchAll(
    /^(?:import|export)\s+(type\s+(?!from\b))?(?:[^"'`;()=]*?\bfrom\s*)?["']([^"']+)["']/gm,
  ))
    if (name !== undefined) edges.push({ from, to: target(from, name), typeOnly: type !== undefined });
  for (const [, name] of text.matchAll(/\bimport\(\s*["']([^"']+)["']/g))
    if (name !== undefined) edges.push({ from, to: target(from, name), typeOnly: false });
  return edges;
}

/** Where an import of `name` leads, written as {@link Edge.to}. */
export function target(from: string, name: string): string {
  if (name.startsWith(".")) return normalize(join(dirname(from), name.replace(/\?.*$/, "")));
  const ours = /^@restic-manager\/([^/]+)(?:\/(.+))?$/.exec(name);
  if (ours) return `${ours[1]}/${ours[2] ?? "index"}.ts`;
  if (/^(node|bun):/.test(name)) return name;
  if (name.startsWith("rm:")) return `virtual:${name}`;
  return `npm:${name.split("/", name.startsWith("@") ? 2 : 1).join("/")}`;
}
