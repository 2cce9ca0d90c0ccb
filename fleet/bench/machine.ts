import { cpus, loadavg, release, totalmem } from "node:os";

/** What a reader has to know to compare a figure with another machine's. */
export interface Machine {
  date: string;
  cpu: string;
  memory: string;
  system: string;
  /** What else was going on: the load of the last minute when the figures were taken. */
  load: string;
  versions: string;
}

/** Looks at this machine and asks the programs that took part for their versions. */
export async function describeMachine(): Promise<Machine> {
  const [first] = cpus();
  const restic = process.env["RM_TEST_RESTIC"] ?? "restic";
  const said = await new Response(Bun.spawn([restic, "version"]).stdout).text();
  const osRelease = await Bun.file("/etc/os-release")
    .text()
    .catch(() => "");
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(osRelease)?.[1] ?? process.platform;
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus().length} × ${first?.model ?? "unknown"}`,
    memory: `${(totalmem() / 2 ** 30).toFixed(0)} GiB`,
    system: `${system}, Linux ${release()}`,
    load: (loadavg()[0] ?? 0).toFixed(2),
    versions: `Bun ${Bun.version}, ${said.split(" compiled")[0] ?? "restic"}`,
  };
}
