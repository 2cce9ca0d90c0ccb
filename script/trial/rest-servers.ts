import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Program } from "./program.ts";

/** A rest-server as a careful operator runs it: two instances over one folder. */
export interface RestServers {
  /** Append-only, for the machines. Ends with a slash. */
  everydayUrl: string;
  /** May delete; only the administrator's account opens it. */
  adminUrl: string;
  admin: { username: string; password: string };
  programs: Program[];
  /** Lets an account in at the everyday instance: `line` is what goes into its htpasswd file. */
  admit(line: string): void;
}

/** @param folder gets the data, the htpasswd files and the logs. */
export async function startRestServers(program: string, folder: string): Promise<RestServers> {
  mkdirSync(join(folder, "data"), { recursive: true });
  const admin = { username: "admin", password: crypto.randomUUID() };
  const hash = await Bun.password.hash(admin.password, { algorithm: "bcrypt", cost: 8 });
  const start = async (name: string, accounts: string, ...flags: string[]) => {
    const htpasswd = join(folder, `${name}.htpasswd`);
    writeFileSync(htpasswd, accounts, { mode: 0o600 });
    const files = ["--path", join(folder, "data"), "--htpasswd-file", htpasswd];
    const running = new Program({
      name: `rest-server (${name})`,
      argv: [program, "--listen", "127.0.0.1:0", ...files, ...flags],
      logFile: join(folder, `${name}.log`),
    });
    const [, address = ""] = await running.says(/start server on (\S+)/);
    return { running, htpasswd, url: `rest:http://${address}/` };
  };
  const everyday = await start("everyday", "", "--append-only");
  const full = await start("admin", `${admin.username}:${hash}\n`);
  return {
    everydayUrl: everyday.url,
    adminUrl: full.url,
    admin,
    programs: [everyday.running, full.running],
    admit(line) {
      appendFileSync(everyday.htpasswd, `${line.trim()}\n`);
      everyday.running.signal("SIGHUP"); // it reads the file again
    },
  };
}
