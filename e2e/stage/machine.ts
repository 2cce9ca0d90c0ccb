import { Database } from "bun:sqlite";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const MACHINE_ID = "/etc/machine-id";

/**
 * What to put before a command so that it believes to be on another machine: its own view of `/etc/machine-id`. Where there is no
 * such file, an agent with a state folder of its own is on another machine anyway.
 */
export function otherMachine(file: string): string[] {
  if (!existsSync(MACHINE_ID)) return [];
  writeFileSync(file, `${"0123456789abcdef".repeat(2)}\n`);
  const user = process.getuid?.() === 0 ? [] : ["--user", "--map-root-user"];
  const bind = 'mount --bind "$0" /etc/machine-id && exec "$@"';
  return ["unshare", ...user, "--mount", "sh", "-c", bind, file];
}

/** Puts all of a dead agent's database into its main file. */
export function settleDatabase(stateDir: string): void {
  const path = join(stateDir, "agent.db");
  const db = new Database(path);
  db.run("pragma wal_checkpoint(truncate)");
  db.close();
  for (const extra of ["-wal", "-shm"]) rmSync(`${path}${extra}`, { force: true });
}
