import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { BunPlugin } from "bun";
import { agentBinaries } from "../server/platform/http/agent-binaries.ts";
import { compressed, manifestOf } from "../server/platform/http/console-manifest.ts";
import { house } from "./files.ts";

/** A single executable to make: from which file, for which machine, under which name in `dist/`. */
interface Executable {
  entry: string;
  /** See Bun.unsafe.setJITPolicy: how many times longer code is interpreted before it is compiled. */
  jitPolicy: number;
  target: Bun.Build.CompileTarget;
  name: string;
}

export interface BuildOptions {
  /** Where `server/main.ts`, `agent/main.ts` and `console/` lie. */
  root: string;
  /** Only what runs on this kind of machine, and quick compression: for tests and demos. */
  fast: boolean;
  /** A built console to take instead of building one. */
  console?: string;
}

/**
 * Makes the executables and `SHA256SUMS` in `dist/`. A file is replaced only when its successor is complete.
 *
 * @throws Error if a part cannot be built; then nothing of that part is left behind.
 */
export async function build({ root, fast, console: ready }: BuildOptions): Promise<string[]> {
  const out = join(root, "dist");
  mkdirSync(out, { recursive: true });
  const consoleFolder = ready ?? (await buildConsole(join(root, "console"), fast));
  if (ready !== undefined) compress(ready, fast);
  const wanted = executables(root).filter(({ target }) => !fast || target === "bun-linux-x64");
  for (const executable of wanted) await compile(executable, out, consoleFolder, versionOf(root));
  const names = wanted.map(({ name }) => name);
  const sums = names.map((name) => `${sha256(join(out, name))}  ${name}\n`);
  writeFileSync(join(out, "SHA256SUMS"), sums.join(""));
  return names;
}

/** Makes only the agent for this kind of machine, at `outfile`. */
export async function buildAgent(root: string, outfile: string): Promise<void> {
  const [agent] = executables(root).filter(
    ({ entry, target }) => entry.endsWith("agent/main.ts") && runsHere(target),
  );
  if (agent === undefined) throw new Error("no agent is built for this kind of machine");
  await compile({ ...agent, name: basename(outfile) }, dirname(outfile), "", versionOf(root));
}

/** Whether an executable for `target` is one for this machine. */
function runsHere(target: Bun.Build.CompileTarget): boolean {
  return target === `bun-${process.platform}-${process.arch}`;
}

function executables(root: string): Executable[] {
  const targets: Record<string, Bun.Build.CompileTarget> = {
    "linux/x64": "bun-linux-x64",
    "linux/arm64": "bun-linux-arm64",
    "windows/x64": "bun-windows-x64",
  };
  const agents = Object.entries(agentBinaries).map(([machine, name]) => {
    const target = targets[machine];
    if (!target)
      throw new Error(`No compile target is known for an agent on ${machine}: add it in script/build.ts`);
    // Almost all of an agent's code runs once; compiled it would cost 5 MB and gain nothing.
    return { entry: join(root, "agent/main.ts"), target, name, jitPolicy: 1000 };
  });
  return [
    {
      entry: join(root, "server/main.ts"),
      target: "bun-linux-x64",
      name: "restic-manager-server",
      jitPolicy: 1,
    },
    ...agents,
  ];
}

/** A server that starts from its sources meanwhile finds the console as it was or as it will be. */
async function buildConsole(folder: string, fast: boolean): Promise<string> {
  const dist = join(folder, "dist");
  const [next, last] = [`${dist}.next`, `${dist}.last`];
  const vite = Bun.spawn(
    [
      process.execPath,
      "--bun",
      "node_modules/.bin/vite",
      "build",
      "--logLevel=warn",
      "--emptyOutDir",
      "--outDir",
      next,
    ],
    { cwd: folder, stdin: "ignore", stdout: "inherit", stderr: "inherit" },
  );
  if ((await vite.exited) !== 0) throw new Error("the console could not be built: see vite's words above");
  compress(next, fast);
  rmSync(last, { recursive: true, force: true });
  if (existsSync(dist)) renameSync(dist, last);
  renameSync(next, dist);
  rmSync(last, { recursive: true, force: true });
  return dist;
}

/** Puts a compressed copy beside every file that becomes smaller by it. */
function compress(folder: string, fast: boolean): void {
  const quality = fast ? 5 : constants.BROTLI_MAX_QUALITY;
  for (const asset of Object.values(manifestOf(folder))) {
    const path = asset.files.identity;
    if (/\.(woff2|png)$/.test(path)) continue;
    const bytes = readFileSync(path);
    const copies = [
      [compressed.br, brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: quality } })],
      [compressed.gzip, gzipSync(bytes, { level: 9 })],
    ] as const;
    for (const [ending, copy] of copies) {
      if (copy.length < bytes.length) writeFileSync(path + ending, copy);
      else rmSync(path + ending, { force: true });
    }
  }
}

async function compile(
  { entry, target, name, jitPolicy }: Executable,
  out: string,
  consoleFolder: string,
  version: string,
): Promise<void> {
  const began = performance.now();
  const draft = join(out, `.draft-${name}`);
  try {
    await Bun.build({
      entrypoints: [entry],
      minify: true,
      bytecode: true,
      format: "esm",
      sourcemap: "linked",
      define: { RM_VERSION: JSON.stringify(version) },
      plugins: [embedConsole(consoleFolder)],
      compile: {
        target,
        outfile: draft,
        jitPolicy,
        // Otherwise the program would run what it finds in the folder it is started in.
        autoloadDotenv: false,
        autoloadBunfig: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    renameSync(draft, join(out, name));
  } finally {
    rmSync(draft, { force: true });
    rmSync(`${draft}.map`, { force: true });
  }
  const megabytes = (statSync(join(out, name)).size / 1e6).toFixed(0);
  console.log(`dist/${name}: ${megabytes} MB, ${((performance.now() - began) / 1000).toFixed(1)} s`);
}

/** Puts the console's files in place of `embedded-console.ts`. */
function embedConsole(folder: string): BunPlugin {
  return {
    name: "embedded console",
    setup(builder) {
      builder.onLoad({ filter: /\/platform\/http\/embedded-console\.ts$/ }, () => {
        const imports: string[] = [];
        const embed = (path: string) => {
          imports.push(`import f${imports.length} from ${JSON.stringify(path)} with { type: "file" };`);
          return `f${imports.length - 1}`;
        };
        const entries = Object.entries(manifestOf(folder)).map(([path, { files, ...asset }]) => {
          const embedded = Object.entries(files).map(([encoding, file]) => `${encoding}: ${embed(file)}`);
          return `${JSON.stringify(path)}: { ...${JSON.stringify(asset)}, files: { ${embedded.join(", ")} } }`;
        });
        const contents = `${imports.join("\n")}\nexport const embeddedConsole = { ${entries.join(",\n")} };\n`;
        return { contents, loader: "js" };
      });
    },
  };
}

function versionOf(root: string): string {
  const { version }: { version?: unknown } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  if (typeof version !== "string") throw new Error("package.json has no version");
  return version;
}

function sha256(path: string): string {
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

if (import.meta.main) {
  const unknown = process.argv.slice(2).filter((word) => !["--fast", "--all"].includes(word));
  if (unknown.length > 0) {
    console.error(
      `script/build takes --fast (this kind of machine only) or nothing (all), not ${unknown.join(" ")}`,
    );
    process.exit(2);
  }
  await build({ root: house, fast: process.argv.includes("--fast") });
  if (!existsSync(join(house, "dist/SHA256SUMS"))) process.exit(1);
}
