import { expect, test } from "bun:test";
import { JobKind } from "../jobs.ts";
import { Job } from "./jobs.ts";

// The union names each kind by itself, and nothing but this notices one that was forgotten there.
test.each(JobKind.options.map((kind) => [kind]))(
  "a job of the kind %s can be shown in every state",
  (kind) => {
    for (const state of ["queued", "running", "succeeded", "failed", "cancelled"]) {
      const { error } = Job.safeParse({ kind, state });
      const unknown = error?.issues.filter(({ path: [field] }) => field === "kind" || field === "state");
      expect(unknown).toEqual([]);
    }
  },
);
