import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { RestoreRequest } from "@restic-manager/protocol/api/restore";
import { ResticId } from "@restic-manager/protocol/ids";
import { OVERWRITE_MODES, TargetFolder } from "@restic-manager/protocol/jobs/restore";
import { FIRST_DRAFT, folderProblem, OVERWRITE_WORDS, requestOf, type Draft } from "./draft.ts";
import { NOTHING_PICKED, toggle } from "./picks.ts";

const snapshotId = ResticId.parse("a".repeat(64));
const nothing = { childrenOf: () => undefined, entryOf: () => undefined };
const picked = toggle(NOTHING_PICKED, { path: "/etc", folder: true, size: 0 }, nothing);
const picks = picked.ok ? picked.picks : NOTHING_PICKED;
const drafts: fc.Arbitrary<Draft> = fc.record({
  target: fc.constantFrom("folder", "in_place"),
  folder: fc.constantFrom("", "/srv/back", " /srv/back "),
  overwrite: fc.constantFrom(...OVERWRITE_MODES),
  delete: fc.boolean(),
  verify: fc.boolean(),
  sparse: fc.boolean(),
});

describe("what the wizard asks for", () => {
  test("is a request that the server can read, whatever was answered", () => {
    fc.assert(
      fc.property(drafts, fc.boolean(), (draft, dryRun) => {
        const request = RestoreRequest.parse(requestOf({ snapshotId, picks, draft, dryRun }));
        expect(request.paths).toEqual(["/etc"]);
        // What was once ticked for in place does nothing to a new folder.
        if (draft.target === "folder") expect(request).toMatchObject({ delete: false, overwrite: "always" });
      }),
    );
  });

  test("goes to a folder of the agent's own unless one is named", () => {
    const request = requestOf({ snapshotId, picks, draft: FIRST_DRAFT });
    expect(request.target).toEqual({ kind: "folder" });
  });

  test("has words for every way to overwrite", () => {
    expect(Object.keys(OVERWRITE_WORDS).toSorted()).toEqual([...OVERWRITE_MODES].toSorted());
  });
});

test("a folder that the page takes, the server takes", () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[a-zC:\\/. ]{0,12}$/), (folder) => {
      if (folder !== "" && folderProblem(folder) === null)
        expect(TargetFolder.safeParse(folder.trim()).success || folder.trim() !== folder).toBe(true);
    }),
  );
  expect(folderProblem("srv")).toContain("whole path");
  expect(folderProblem("/srv/../etc")).toContain("..");
  expect(folderProblem("/")).toContain("In place");
});
