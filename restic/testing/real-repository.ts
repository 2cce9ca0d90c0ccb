import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { backup, type BackupInput } from "../commands/backup.ts";
import { init } from "../commands/init.ts";
import { snapshots, type Snapshot } from "../commands/snapshots.ts";
import type { ResticContext } from "../context.ts";
import { testContext, testFolder, type TestFolder } from "./context.ts";
import { valueOf } from "./outcome.ts";
import { realRestic } from "./real.ts";

/** An empty repository of a real restic to copy: making one takes 3 s (restic calibrates its key derivation). */
export async function repositoryTemplate(): Promise<TestFolder> {
  const template = testFolder();
  valueOf(await init(testContext(template.path, realRestic())));
  return template;
}

/** A context whose repository, in `folder/repo`, is a copy of the template's. */
export function copiedRepository(
  template: TestFolder,
  folder: string,
  changes: Partial<ResticContext> = {},
): ResticContext {
  cpSync(join(template.path, "repo"), join(folder, "repo"), { recursive: true });
  return testContext(folder, realRestic(), changes);
}

/** A name may be bytes: Linux does not care whether they are UTF-8. */
export function writeFileAt(folder: string, name: string | Uint8Array, content: string | Uint8Array): void {
  const path = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(name)]);
  mkdirSync(typeof name === "string" ? dirname(join(folder, name)) : folder, { recursive: true });
  writeFileSync(path, content);
}

/** Backs up and gives the whole snapshot. */
export async function snapshotOf(context: ResticContext, input: BackupInput): Promise<Snapshot> {
  const { snapshot_id } = valueOf(await backup(context, input));
  const found = valueOf(await snapshots(context)).find(({ id }) => id === snapshot_id);
  if (found === undefined) throw new Error("the backup saved no snapshot");
  return found;
}
