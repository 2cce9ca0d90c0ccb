import { expect, test } from "bun:test";
import { JobKind } from "@restic-manager/protocol/jobs";
import { jobsHref, readJobsSearch } from "./jobs-search.ts";

test("the list is narrowed to any kind that there is; once only two of them did anything", () => {
  for (const kind of JobKind.options) expect(readJobsSearch({ kind })).toEqual({ kind });
  expect(readJobsSearch({ kind: "toString" })).toEqual({});
  expect(jobsHref({ kind: "diff" })).toBe("/jobs?kind=diff");
});
