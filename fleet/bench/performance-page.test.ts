import { expect, test } from "bun:test";
import { figure } from "./figure.ts";
import type { Machine } from "./machine.ts";
import { withSection } from "./performance-page.ts";

const machine: Machine = {
  date: "2026-11-21",
  cpu: "2 × a processor",
  memory: "24 GiB",
  system: "Debian",
  load: "0.10",
  versions: "Bun 1.4.5, restic 0.18.0",
};
const idle = (value: number) => [figure("agent.idle", { value, unit: "MB" }, { most: 40, of: "value" })];

test("a benchmark's new figures take the place of its older ones, and the others stay in order", () => {
  const one = withSection("", "agent", idle(39), machine);
  const two = withSection(one, "storm", idle(1), machine);
  const three = withSection(two, "api", idle(2), machine);
  const four = withSection(three, "agent", idle(38), machine);
  expect(four.match(/^## .*$/gm)).toEqual(["## agent", "## api", "## storm"]);
  expect(four).toContain("| agent.idle | 38 MB |  |  | value ≤ 40 | yes |");
  expect(four).not.toContain("39 MB");
});

test("measuring the same again leaves the page as it is", () => {
  const page = withSection(withSection("", "agent", idle(39), machine), "api", idle(2), machine);
  expect(withSection(page, "agent", idle(39), machine)).toBe(page);
});
