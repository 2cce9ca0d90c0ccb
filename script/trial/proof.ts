import { existsSync } from "node:fs";
import { join } from "node:path";

/** What the plain restic CLI needs to open the repository: nothing of ours is in between. */
export interface ResticAccess {
  program: string;
  url: string;
  username: string;
  password: string;
  repositoryPassword: string;
}

/**
 * Proves a backup with restic alone: the snapshot is listed, and restoring it gives back the same bytes.
 *
 * @param folder where the restored files go.
 * @returns what was proven, in a sentence.
 * @throws Error with restic's or diff's own words.
 */
export async function proveBackup(access: ResticAccess, source: string, folder: string): Promise<string> {
  const env = {
    PATH: process.env["PATH"] ?? "/usr/bin:/bin",
    RESTIC_REPOSITORY: access.url,
    RESTIC_REST_USERNAME: access.username,
    RESTIC_REST_PASSWORD: access.password,
    RESTIC_PASSWORD: access.repositoryPassword,
    RESTIC_CACHE_DIR: join(folder, "cache"),
  };
  const run = async (argv: string[]) => {
    const child = Bun.spawn(argv, { env, stdin: "ignore", stdout: "pipe", stderr: "pipe" });
    const [out, err, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    if (code !== 0)
      throw new Error(`${argv.slice(0, 2).join(" ")} ended with ${code}:\n${(err || out).slice(-2000)}`);
    return out;
  };
  const snapshots: unknown = JSON.parse(await run([access.program, "snapshots", "--json", "--no-lock"]));
  if (!Array.isArray(snapshots) || snapshots.length !== 1)
    throw new Error(
      `restic lists ${Array.isArray(snapshots) ? snapshots.length : "no"} snapshots instead of one`,
    );
  const id = String(snapshots[0].short_id);
  const target = join(folder, "restored");
  await run([access.program, "restore", id, "--target", target, "--no-lock", "--quiet"]);
  if (!existsSync(join(target, source))) throw new Error(`restic restored no ${source}`);
  await run(["diff", "--recursive", "--no-dereference", "--brief", source, join(target, source)]);
  return `restic lists snapshot ${id}, and restores ${source} byte for byte`;
}
