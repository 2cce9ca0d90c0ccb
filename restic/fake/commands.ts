import type { z } from "zod";
import type { scenario } from "./scenario.ts";
import { newId, type FakeRepository } from "./state.ts";

export type FakeRun = {
  argv: readonly string[];
  scenario: z.output<typeof scenario>;
  repository: FakeRepository;
  print: (stream: "stdout" | "stderr", text: string) => Promise<void>;
  onCleanUp: (action: () => void) => void;
  waitFor: (file: string) => Promise<void>;
  ignoreTerm: () => void;
};

type Command = (run: FakeRun) => Promise<number>;

/** What the scripted restic answers when its scenario says nothing else; each gives the exit code. */
export const commands: Record<string, Command | undefined> = {
  version: async (run) => {
    await json(run, {
      message_type: "version",
      version: run.scenario.version,
      go_version: "go1",
      go_os: "linux",
      go_arch: "amd64",
    });
    return 0;
  },
  init: async (run) => {
    const state = stateOf(run);
    if (state.id !== undefined)
      return fail(run, 1, "Fatal: create repository failed: config file already exists");
    const id = newId();
    run.repository.write({ ...state, id });
    await json(run, { message_type: "initialized", id, repository: process.env["RESTIC_REPOSITORY"] });
    return 0;
  },
  "cat config": opened(async (run, id) => {
    await run.print(
      "stdout",
      `${JSON.stringify({ version: 2, id, chunker_polynomial: "30a7fac1f54a95" }, null, 2)}\n`,
    );
    return 0;
  }),
  snapshots: opened(async (run) => {
    const [host] = valuesOf(run, "host");
    const all = stateOf(run).snapshots;
    await json(run, host === undefined ? all : all.filter((snapshot) => snapshot["hostname"] === host));
    return 0;
  }),
  stats: opened(async (run) => {
    const count = stateOf(run).snapshots.length;
    await json(
      run,
      count === 0
        ? { total_size: 0, snapshots_count: 0 }
        : {
            total_size: 4096 * count,
            total_uncompressed_size: 8192 * count,
            compression_ratio: 2,
            total_blob_count: count,
            snapshots_count: count,
          },
    );
    return 0;
  }),
  "list locks": opened(async (run) => {
    await run.print("stdout", [...run.repository.locks().keys()].map((id) => `${id}\n`).join(""));
    return 0;
  }),
  "cat lock": opened(async (run) => {
    const lock = run.repository.locks().get(run.argv[2] ?? "");
    if (lock === undefined) return fail(run, 1, "Fatal: lock not found");
    await run.print("stdout", `${JSON.stringify(lock, null, 2)}\n`);
    return 0;
  }),
  unlock: opened(async (run) => {
    const removed = run.repository.unlock();
    if (removed > 0) await run.print("stdout", `successfully removed ${removed} locks\n`);
    return 0;
  }),
  backup: opened(backup),
};

async function backup(run: FakeRun): Promise<number> {
  const { log_lines, wait_for, incomplete, by_pid } = run.scenario.backup;
  const file = (n: number): string => `${by_pid ? `${process.pid}/` : ""}file${n}`;
  const started = new Date();
  const host = valuesOf(run, "host")[0] ?? "host";
  run.onCleanUp(run.repository.lock(host));
  const paths = (await Bun.stdin.text()).split("\0").filter((path) => path !== "");
  const status = (files_done: number): object => ({
    message_type: "status",
    percent_done: log_lines === 0 ? 1 : files_done / log_lines,
    total_files: log_lines,
    files_done,
    total_bytes: log_lines * 100,
    bytes_done: files_done * 100,
    current_files: [`${paths[0] ?? ""}/${file(files_done)}`],
  });
  const item = (n: number): string =>
    `${JSON.stringify({ message_type: "verbose_status", action: "new", item: `${paths[0] ?? ""}/${file(n)}`, duration: 0, data_size: 100, data_size_in_repo: 50, metadata_size: 0, metadata_size_in_repo: 0, total_files: 0 })}\n`;
  const half = Math.floor(log_lines / 2);
  const items = async (from: number, to: number): Promise<void> => {
    for (let n = from; n < to; n += 500) {
      await run.print(
        "stdout",
        Array.from({ length: Math.min(500, to - n) }, (_, i) => item(n + i + 1)).join(""),
      );
    }
    await json(run, status(to));
  };
  await items(0, half);
  if (wait_for !== undefined) await run.waitFor(wait_for);
  await items(half, log_lines);

  const id = newId();
  const counts = {
    files_new: log_lines,
    files_changed: 0,
    files_unmodified: 0,
    dirs_new: 1,
    dirs_changed: 0,
    dirs_unmodified: 0,
    data_blobs: log_lines,
    tree_blobs: 1,
    data_added: log_lines * 100,
    data_added_packed: log_lines * 50,
    total_files_processed: log_lines,
    total_bytes_processed: log_lines * 100,
    backup_start: started.toISOString(),
    backup_end: new Date().toISOString(),
  };
  const state = stateOf(run);
  const parent = state.snapshots.at(-1)?.["id"];
  const snapshot = {
    time: started.toISOString(),
    ...(parent === undefined ? {} : { parent }),
    tree: newId(),
    paths,
    hostname: host,
    username: "root",
    tags: valuesOf(run, "tag"),
    program_version: `restic ${run.scenario.version}`,
    summary: counts,
    id,
    short_id: id.slice(0, 8),
  };
  run.repository.write({ ...state, snapshots: [...state.snapshots, snapshot] });
  const path = `${paths[0] ?? ""}/unreadable`;
  if (incomplete) {
    await run.print(
      "stderr",
      `${JSON.stringify({ message_type: "error", error: { message: `open ${path}: permission denied` }, during: "archival", item: path })}\n`,
    );
  }
  const total_duration = (Date.now() - started.getTime()) / 1000;
  await json(run, { message_type: "summary", ...counts, total_duration, snapshot_id: id });
  return incomplete ? fail(run, 3, "Warning: at least one source file could not be read") : 0;
}

/** Only with a repository and the right password, as restic does. */
function opened(command: (run: FakeRun, id: string) => Promise<number>): Command {
  return async (run) => {
    const { id } = stateOf(run);
    if (id === undefined)
      return fail(run, 10, "Fatal: repository does not exist: unable to open config file");
    const { password } = run.scenario;
    if (password !== undefined && process.env["RESTIC_PASSWORD"] !== password) {
      return fail(run, 12, "Fatal: wrong password or no key found");
    }
    return command(run, id);
  };
}

function stateOf({ repository, scenario: { initialised } }: FakeRun): ReturnType<FakeRepository["read"]> {
  const state = repository.read();
  if (state.id !== undefined || !initialised) return state;
  const next = { ...state, id: newId() };
  repository.write(next);
  return next;
}

async function fail(run: FakeRun, code: number, message: string): Promise<number> {
  await run.print("stderr", `${JSON.stringify({ message_type: "exit_error", code, message })}\n`);
  return code;
}

async function json(run: FakeRun, value: unknown): Promise<void> {
  await run.print("stdout", `${JSON.stringify(value)}\n`);
}

function valuesOf({ argv }: FakeRun, option: string): string[] {
  return argv.filter((a) => a.startsWith(`--${option}=`)).map((a) => a.slice(option.length + 3));
}
