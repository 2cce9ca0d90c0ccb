/** The steps once a snapshot is chosen. */
export const STEPS = ["files", "target", "confirm"] as const;
export type WizardStep = (typeof STEPS)[number];

/** What the address of a wizard says: the step, the folder that is shown, what is searched for. */
export interface WizardSearch {
  step?: WizardStep;
  at?: string;
  q?: string;
}

/** Reads the address; what it does not know it leaves out. */
export function readWizardSearch(raw: Record<string, unknown>): WizardSearch {
  const step = STEPS.find((known) => known === raw["step"]);
  const { at, q } = raw;
  return {
    ...(step === undefined ? {} : { step }),
    ...(typeof at === "string" && at.startsWith("/") && at !== "/" ? { at } : {}),
    ...(typeof q === "string" && q !== "" ? { q } : {}),
  };
}

/** The address of a wizard with this search. */
export function wizardHref(hostId: string, snapshotId: string, search: WizardSearch = {}): string {
  const given = new URLSearchParams({ ...search }).toString();
  return `/hosts/${hostId}/snapshots/${snapshotId}/restore${given === "" ? "" : `?${given}`}`;
}
