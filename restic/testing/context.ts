import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ResticContext } from "../context.ts";
import { Secret } from "../secret.ts";
import { systemTimers } from "../timers.ts";

export type TestFolder = { path: string; remove: () => void };

export function testFolder(): TestFolder {
  const path = mkdtempSync(join(tmpdir(), "rm-restic-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** A context whose files are all below `folder`, for a repository in `folder/repo` unless told otherwise. */
export function testContext(
  folder: string,
  program: string,
  changes: Partial<ResticContext> = {},
): ResticContext {
  const below = (name: string): string => {
    const path = join(folder, name);
    mkdirSync(path, { recursive: true });
    return path;
  };
  return {
    program,
    access: { url: join(folder, "repo"), repositoryPassword: new Secret("repository-password") },
    cacheDir: below("cache"),
    tmpDir: below("tmp"),
    workDir: below("work"),
    timers: systemTimers,
    ...changes,
  };
}
