import type { Host } from "@restic-manager/protocol/api/hosts";
import type { Snapshot } from "@restic-manager/protocol/snapshot";
import { formatBytes } from "../format/bytes.ts";
import { countOf } from "../format/numbers.ts";
import type { Draft } from "./draft.ts";
import type { Picks, PickTotals } from "./picks.ts";
import type { WizardStep } from "./wizard-search.ts";

/** What every step is given. */
export interface StepProps {
  host: Host;
  snapshot: Snapshot;
  picks: Picks;
  totals: PickTotals;
  draft: Draft;
  onDraft: (draft: Draft) => void;
  /** The address of a step. */
  hrefOf: (step: WizardStep) => string;
}

/** What is picked, for a heading. */
export function pickedInWords({ items, bytes, exact }: PickTotals): string {
  return `${exact ? "" : "at least "}${countOf(items, "item")}, ${formatBytes(bytes)}`;
}

/** Where it goes, for a heading. */
export function targetInWords(draft: Draft): string {
  if (draft.target === "in_place") return "In place";
  return draft.folder.trim() === "" ? "A new folder" : draft.folder.trim();
}
