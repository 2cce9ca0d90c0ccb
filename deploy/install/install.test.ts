import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { createHash, X509Certificate } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { serveAgentBinaries } from "../../server/platform/http/agent-binaries.ts";

const script = join(import.meta.dir, "install.sh");
const token = "rmt_secret-token-1";

/** Stands for the agent: writes down how it was called, and makes the file by which an enrolled machine is known. */
const agent = `#!/bin/sh
case $1 in
version) echo "restic-manager-agent 9.8.7" ;;
enroll)
  echo "$*" >"$RECORD/arguments"
  echo "$RM_TOKEN" >"$RECORD/token"
  [ ! -e "$RECORD/refuse" ] || { echo "The token has expired." >&2; exit 1; }
  while [ $# -gt 0 ]; do [ "$1" != --config-dir ] || : >"$2/agent.yaml"; shift; done ;;
esac
`;

/** Notes the arguments of every program through which a token could show, then runs the real one. */
const recorder = (program: string) => `#!/bin/sh
echo "$0 $*" >>"$RECORD/argv"
exec ${program} "$@"
`;

let folder: string;
let root: string;
let server: ReturnType<typeof Bun.serve> | undefined;
/** Authorization headers that the server has seen. */
let presented: (string | null)[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "rm-install-"));
  root = join(folder, "root");
  for (const name of ["root", "dist", "record", "bin"]) mkdirSync(join(folder, name));
  place("dist/restic-manager-agent", agent);
  place("bin/curl", recorder(Bun.which("curl") ?? "curl"));
  place("bin/wget", recorder(Bun.which("wget") ?? "wget"));
  presented = [];
});
afterEach(async () => {
  await server?.stop(true);
  server = undefined;
  rmSync(folder, { recursive: true, force: true });
});

function place(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), text);
  chmodSync(join(folder, path), 0o755);
}

/** A server that serves the stub agent by the real handler; `answer` may step in before. */
function serve(
  answer: (path: string) => Response | undefined = () => undefined,
  tls?: { key: string; cert: string },
): string {
  const binaries = serveAgentBinaries(join(folder, "dist"));
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(tls ? { tls } : {}),
    fetch(request) {
      presented.push(request.headers.get("authorization"));
      const { pathname } = new URL(request.url);
      const other = answer(pathname);
      if (other) return other;
      if (pathname === "/agent/binary") return binaries.binary(request);
      if (pathname === "/agent/binary/sha256") return binaries.sha256(request);
      return new Response("", { status: 404 });
    },
  });
  return `${tls ? "https" : "http"}://127.0.0.1:${server.port}`;
}

/** Runs the script as the console's command does: from standard input, with settings in the environment. */
async function install(settings: Record<string, string>, path = `${join(folder, "bin")}:/usr/bin:/bin`) {
  const shell = Bun.spawn(["/bin/sh"], {
    stdin: Bun.file(script),
    stdout: "pipe",
    stderr: "pipe",
    env: { PATH: path, RECORD: join(folder, "record"), RM_ROOT: root, RM_TOKEN: token, ...settings },
  });
  const [out, err, code] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
    shell.exited,
  ]);
  return { out, err, code };
}

const record = (name: string) => readFileSync(join(folder, "record", name), "utf8");
const installed = () => existsSync(join(root, "usr/local/bin/restic-manager-agent"));
const leftovers = () =>
  existsSync(join(root, "usr/local/bin")) ? readdirSync(join(root, "usr/local/bin")) : [];

describe("the install script", () => {
  test("leaves the modes of folders that are there as they are, and makes others that everybody may enter", async () => {
    mkdirSync(join(root, "usr/local"), { recursive: true });
    // As on Debian, where members of staff install programs.
    chmodSync(join(root, "usr/local"), 0o2775);
    const { code } = await install({ RM_SERVER: serve() });
    expect(code).toBe(0);
    const mode = (path: string) => (statSync(join(root, path)).mode & 0o7777).toString(8);
    expect([mode("usr/local"), mode("usr/local/bin").slice(-3), mode("etc")]).toEqual(["2775", "755", "755"]);
    expect(mode("etc/restic-manager-agent")).toBe("700");
  });

  test("installs and enrols the agent, and shows the token to no other user", async () => {
    const url = serve();
    const { out, err, code } = await install({ RM_SERVER: `${url}/` });
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(out).toContain("Installed restic-manager-agent 9.8.7");
    expect(record("token").trim()).toBe(token);
    expect(record("arguments")).toStartWith(
      `enroll --server ${url} --config-dir ${root}/etc/restic-manager-agent`,
    );
    expect(record("arguments") + record("argv")).not.toContain(token);
    expect(presented).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
    expect(statSync(join(root, "etc/restic-manager-agent")).mode & 0o777).toBe(0o700);
    expect(leftovers()).toEqual(["restic-manager-agent"]);
  });

  test("does the same with wget where there is no curl", async () => {
    const url = serve();
    const programs = [
      "sh",
      "uname",
      "id",
      "mktemp",
      "rm",
      "mkdir",
      "chmod",
      "cat",
      "cp",
      "mv",
      "cut",
      "head",
      "sed",
    ];
    for (const program of [...programs, "tr", "sha256sum", "grep", "sort"])
      place(`few/${program}`, `#!/bin/sh\nexec ${Bun.which(program) ?? program} "$@"\n`);
    place("few/wget", recorder(Bun.which("wget") ?? "wget"));
    const { err, code } = await install({ RM_SERVER: url }, join(folder, "few"));
    expect(err).toBe("");
    expect(code).toBe(0);
    expect(record("token").trim()).toBe(token);
    expect(record("argv")).not.toContain(token);
    expect(presented).toEqual([`Bearer ${token}`, `Bearer ${token}`]);
  });

  test("refuses an agent whose bytes are not those of the checksum", async () => {
    const url = serve((path) =>
      path === "/agent/binary/sha256" ? new Response(`${"0".repeat(64)}  restic-manager-agent\n`) : undefined,
    );
    const { err, code } = await install({ RM_SERVER: url });
    expect(code).toBe(1);
    expect(err).toContain("does not have the checksum");
    expect(leftovers()).toEqual([]);
  });

  test.each([
    [
      () => Response.json({ code: "token_expired", message: "The token has expired." }, { status: 410 }),
      "410: The token has",
    ],
    [() => new Response("<html>oops</html>", { status: 502 }), "502"],
    [() => Response.redirect("http://127.0.0.1:1/elsewhere"), "302"],
    [() => new Response("not a sum\n"), "no checksum"],
  ])("stops with the server's words when it answers %p", async (answer, words) => {
    const { err, code } = await install({ RM_SERVER: serve(answer) });
    expect(code).toBe(1);
    expect(err).toContain(words);
    expect(err).not.toContain(token);
    expect(installed()).toBe(false);
  });

  test("stops with a sentence when nobody answers", async () => {
    const { err, code } = await install({ RM_SERVER: "http://127.0.0.1:1" });
    expect(code).toBe(1);
    expect(err).toContain("could not reach http://127.0.0.1:1");
  });

  test("says so when the machine could not be enrolled, and starts nothing", async () => {
    writeFileSync(join(folder, "record/refuse"), "");
    const { err, code } = await install({ RM_SERVER: serve() });
    expect(code).toBe(1);
    expect(err).toContain("The token has expired.");
    expect(existsSync(join(root, "etc/systemd/system/restic-manager-agent.service"))).toBe(false);
  });

  test.each([
    ["sparc64", "Linux", "processor (sparc64)"],
    ["x86_64", "Darwin", "runs Darwin"],
  ])("refuses %s under %s by name", async (machine, system, words) => {
    place("bin/uname", `#!/bin/sh\n[ "$1" = -m ] && echo ${machine} || echo ${system}\n`);
    const { err, code } = await install({ RM_SERVER: serve() });
    expect(code).toBe(1);
    expect(err).toContain(words);
    expect(presented).toEqual([]);
  });

  test.each([
    [{ RM_SERVER: "" }, "RM_SERVER must be"],
    [{ RM_SERVER: "backup.example.com" }, "RM_SERVER must be"],
    [{ RM_SERVER: "https://backup.example.com", RM_TOKEN: "" }, "RM_TOKEN is missing"],
    [
      { RM_SERVER: "https://backup.example.com", RM_TOKEN: 'x"\nurl = file:///etc/shadow' },
      "character that no token has",
    ],
    [{ RM_SERVER: "https://backup.example.com", RM_CA_FILE: "/nowhere.pem" }, "/nowhere.pem cannot be read"],
  ])("refuses %p before it does anything", async (settings, words) => {
    const { err, code } = await install(settings);
    expect(code).toBe(1);
    expect(err).toContain(words);
    expect(readdirSync(root)).toEqual([]);
  });

  test("brings an enrolled machine up to date without a token, and keeps who it is", async () => {
    const url = serve();
    await install({ RM_SERVER: url });
    rmSync(join(folder, "record/arguments"));
    place("dist/restic-manager-agent", agent.replace("9.8.7", "9.9.0"));
    const { out, code } = await install({ RM_SERVER: url, RM_TOKEN: "" });
    expect(code).toBe(0);
    expect(out).toContain("Installed restic-manager-agent 9.9.0");
    expect(out).toContain("keeps its enrolment");
    expect(existsSync(join(folder, "record/arguments"))).toBe(false);
  });

  test("half a script does nothing", async () => {
    const text = readFileSync(script, "utf8");
    for (const part of [0.3, 0.6, 0.97]) {
      writeFileSync(join(folder, "half.sh"), text.slice(0, text.length * part));
      await Bun.spawn(["/bin/sh", join(folder, "half.sh")], {
        env: { PATH: "/usr/bin:/bin", RM_ROOT: root, RM_SERVER: serve(), RM_TOKEN: token },
        stderr: "ignore",
      }).exited;
      await server?.stop(true);
    }
    expect(readdirSync(root)).toEqual([]);
  });
});

describe("other backups", () => {
  test("are listed by file and line, without their passwords, and left alone", async () => {
    const timer = "[Service]\nEnvironment=RESTIC_PASSWORD=hunter2\nExecStart=/usr/bin/restic backup /srv\n";
    place("root/etc/systemd/system/nightly.service", timer);
    place(
      "root/etc/cron.d/autorestic",
      "MAILTO=root\n#0 1 * * * root restic old\n0 3 * * * root autorestic -c x --pw hunter2\n",
    );
    place("root/var/spool/cron/crontabs/alice", "0 4 * * * resticprofile backup\n");
    place("root/etc/cron.daily/logrotate", "#!/bin/sh\nlogrotate\n");
    const { out, code } = await install({ RM_SERVER: serve() });
    expect(code).toBe(0);
    expect(out).toContain(`${root}/etc/systemd/system/nightly.service, line 3`);
    expect(out).toContain(`${root}/etc/cron.d/autorestic, line 3`);
    expect(out).not.toContain("autorestic, line 2");
    expect(out).toContain(`${root}/var/spool/cron/crontabs/alice, line 1`);
    expect(out).not.toContain("logrotate");
    expect(out).not.toContain("hunter2");
    expect(readFileSync(join(root, "etc/systemd/system/nightly.service"), "utf8")).toBe(timer);
  });

  test("are not mentioned when there are none, nor is our own unit one", async () => {
    const url = serve();
    await install({ RM_SERVER: url });
    expect((await install({ RM_SERVER: url })).out).not.toContain("Other restic backups");
  });
});

describe("restic", () => {
  test.each([
    ["", "restic is not installed"],
    ["#!/bin/sh\necho 'restic 0.14.0 compiled with go1.19.8 on linux/amd64'\n", "restic 0.14.0 is too old"],
    ["#!/bin/sh\necho 'restic 0.18.0 compiled with go1.24.4 on linux/amd64'\n", undefined],
  ])("that is missing or too old is said, and stops nothing: %p", async (program, words) => {
    place("bin/restic", program === "" ? "#!/bin/sh\nexit 127\n" : program);
    const { out, code } = await install({ RM_SERVER: serve() });
    expect(code).toBe(0);
    if (words === undefined) expect(out).not.toContain("Install restic");
    else expect(out).toContain(words);
  });
});

describe("the systemd unit", () => {
  const unitText = async () => {
    await install({ RM_SERVER: serve() });
    return readFileSync(join(root, "etc/systemd/system/restic-manager-agent.service"), "utf8");
  };

  test("is one that systemd itself finds nothing wrong with", async () => {
    const unit = await unitText();
    // The program is not installed on this machine, so the copy names the one in the throw-away folder.
    const copy = join(folder, "restic-manager-agent.service");
    writeFileSync(copy, unit.replace("/usr/local/bin/", `${root}/usr/local/bin/`));
    const verify = Bun.spawn(["systemd-analyze", "verify", "--man=no", copy], {
      stdout: "pipe",
      stderr: "pipe",
    });
    const words = (await new Response(verify.stderr).text()) + (await new Response(verify.stdout).text());
    expect(words.split("\n").filter((line) => line.includes("restic-manager-agent"))).toEqual([]);
    expect(await verify.exited).toBe(0);
  });

  test("keeps the agent root but boxed in, and hides no file from the backups", async () => {
    const unit = await unitText();
    expect(unit).toContain("NoNewPrivileges=yes");
    expect(unit).toContain("ProtectSystem=strict");
    // Restores need one place to go to, and get no other without somebody's word.
    expect(unit).toMatch(/^ReadWritePaths=\/etc\/restic-manager-agent -\/var\/restic-restore$/m);
    expect(unit).toContain("CapabilityBoundingSet=CAP_DAC_READ_SEARCH ");
    expect(unit).not.toMatch(
      /CAP_SYS_ADMIN|PrivateTmp|PrivateDevices|ProtectHome|ProtectKernelModules|InaccessiblePaths/,
    );
    expect(unit).not.toContain("MemoryDenyWriteExecute");
    expect(unit).toMatch(/UnsetEnvironment=.*BUN_OPTIONS.*BUN_BE_BUN/);
    // A core file would hold the passwords.
    expect(unit).toContain("LimitCORE=0");
  });
});

describe("a server with its own certificate", () => {
  const make = async () => {
    const argv =
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=rm -addext subjectAltName=IP:127.0.0.1";
    const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
    await Bun.spawn(["openssl", ...argv.split(" "), ...files], { stderr: "ignore" }).exited;
    const cert = readFileSync(join(folder, "cert.pem"), "utf8");
    return { cert, key: readFileSync(join(folder, "key.pem"), "utf8"), file: join(folder, "cert.pem") };
  };
  const pinOf = (cert: string) => createHash("sha256").update(new X509Certificate(cert).raw).digest("hex");

  test("is refused unless its certificate is pinned or its CA named", async () => {
    const { key, cert, file } = await make();
    const url = serve(undefined, { key, cert });
    expect((await install({ RM_SERVER: url })).code).toBe(1);
    const byCa = await install({ RM_SERVER: url, RM_CA_FILE: file });
    expect([byCa.err, byCa.code]).toEqual(["", 0]);
    const byPin = await install({ RM_SERVER: url, RM_PIN: pinOf(cert).toUpperCase() });
    expect([byPin.err, byPin.code]).toEqual(["", 0]);
    expect(record("arguments")).toContain(`--pin-sha256 ${pinOf(cert).toUpperCase()}`);
  });

  test("is refused when another certificate is pinned, before the token is sent", async () => {
    const { key, cert } = await make();
    const url = serve(undefined, { key, cert });
    const { err, code } = await install({ RM_SERVER: url, RM_PIN: "ab".repeat(32) });
    expect(code).toBe(1);
    expect(err).toContain("is not the pinned one");
    expect(presented).toEqual([]);
    expect(installed()).toBe(false);
  });
});
