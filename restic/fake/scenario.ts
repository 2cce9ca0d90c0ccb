import { z } from "zod";

const stream = z.enum(["stdout", "stderr"]).default("stdout");

/** One thing that the scripted restic does. */
export const step = z.discriminatedUnion("do", [
  z.object({ do: z.literal("print"), stream, text: z.string() }),
  /** `count` plain lines, `{n}` in the text becomes the line's number. */
  z.object({ do: z.literal("lines"), stream, count: z.number(), text: z.string().default("line {n}") }),
  /** That many bytes without a line's end. */
  z.object({ do: z.literal("flood"), stream, bytes: z.number() }),
  /** Writes the file `waiting` beside the program, then waits until a file of this name is there. */
  z.object({ do: z.literal("wait_for"), file: z.string() }),
  z.object({ do: z.literal("ignore_term") }),
  /** Starts a grandchild that holds both pipes for that long, in a session of its own if asked. */
  z.object({ do: z.literal("hold_pipe"), seconds: z.number(), own_session: z.boolean().default(false) }),
  /** For ever, or until a signal. */
  z.object({ do: z.literal("hang") }),
  z.object({ do: z.literal("exit"), code: z.number() }),
  z.object({ do: z.literal("kill_self") }),
]);
export type Step = z.input<typeof step>;

export const scenario = z.object({
  version: z.string().default("0.18.0"),
  /** When set, any other password gets exit 12. */
  password: z.string().optional(),
  /** Whether the repository is there before the first `init`. */
  initialised: z.boolean().default(false),
  /** Steps that replace a command: `version`, `cat config`, `init`, `backup`, `snapshots`, `stats`, `list locks`, `cat lock`, `unlock`. */
  commands: z.record(z.string(), z.array(step)).default({}),
  backup: z
    .object({
      /** Log lines (one per made-up file), half of them before the wait. */
      log_lines: z.number().default(4),
      /** Waits in the middle until this file is there, see `wait_for`. */
      wait_for: z.string().optional(),
      /** Names the made-up files after the process: `17/file1` and not `file1`, so that no two runs print the same. */
      by_pid: z.boolean().default(false),
      /** Exit 3 and one unreadable item, with a snapshot. */
      incomplete: z.boolean().default(false),
    })
    .prefault({}),
});
/** How the scripted restic behaves; everything is optional. */
export type Scenario = z.input<typeof scenario>;

/** A line of `runs.log`. The environment is given by name; only what is no secret has its value. */
export const runRecord = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("start"),
    pid: z.number(),
    argv: z.array(z.string()),
    environment: z.array(z.string()),
    repository: z.string().optional(),
    username: z.string().optional(),
  }),
  z.object({ event: z.literal("end"), pid: z.number(), code: z.number() }),
]);
export type RunRecord = z.infer<typeof runRecord>;
