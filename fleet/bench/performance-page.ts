import { HEADINGS, rowsOf, type Figure } from "./figure.ts";
import type { Machine } from "./machine.ts";

const HEAD = `# Performance

Written by \`script/bench\`; every figure was measured beside its baseline in one run, so the ratio is what counts. Do not edit.
`;

/** Puts a benchmark's figures in the place of its older ones; the other benchmarks' stay. The page is made if there is none. */
export async function replaceSection(
  path: string,
  bench: string,
  figures: readonly Figure[],
  machine: Machine,
): Promise<void> {
  const file = Bun.file(path);
  await Bun.write(path, withSection((await file.exists()) ? await file.text() : "", bench, figures, machine));
}

/** The page's text with the section of that benchmark replaced or added; sections are in the order of their names. */
export function withSection(
  text: string,
  bench: string,
  figures: readonly Figure[],
  machine: Machine,
): string {
  const others = text
    .split(/^(?=## )/m)
    .filter((section) => section.startsWith("## ") && !section.startsWith(`## ${bench}\n`))
    .map((section) => section.trimEnd());
  const sections = [...others, sectionOf(bench, figures, machine)].toSorted();
  return `${[HEAD.trimEnd(), ...sections].join("\n\n")}\n`;
}

function sectionOf(bench: string, figures: readonly Figure[], machine: Machine): string {
  const { date, cpu, memory, system, load, versions } = machine;
  const table = [[...HEADINGS], HEADINGS.map(() => "---"), ...rowsOf(figures)];
  const lines = table.map((row) => `| ${row.join(" | ")} |`);
  return `## ${bench}\n\n${date}, ${cpu}, ${memory}, ${system}, load ${load}. ${versions}.\n\n${lines.join("\n")}`;
}
