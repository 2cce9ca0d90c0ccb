import { identifyProcess, type ProcessIdentity } from "@restic-manager/restic/process-start";
import type { Journal } from "./journal.ts";
import type { Log } from "./log.ts";
import type { Meta } from "./meta.ts";

/**
 * Which job came between its hooks last, and which process is the newest hook of it. It is written down before anything of it happens, so
 * that a later life of the agent can do what a job that was cut off still owes. It is never taken back: nobody asks about a job that has
 * ended. restic's own process stays in the journal beside it, since a lock may name that one.
 */
export class HookMark {
  readonly #journal: Journal;
  readonly #meta: Meta;
  readonly #log: Pick<Log, "warn">;

  constructor(parts: { journal: Journal; meta: Meta; log: Pick<Log, "warn"> }) {
    this.#journal = parts.journal;
    this.#meta = parts.meta;
    this.#log = parts.log;
  }

  /** Before the first hook starts: from now on a crash of the agent makes the hook after the backup due. @throws NoRoom */
  begun(job: string): void {
    this.#journal.together(() => {
      this.#meta.set("hooks_of", job);
      this.#meta.set("hook_process", "");
    });
  }

  /** Right after the spawn of a hook, so that a later life can recognise an orphan. */
  spawned(pid: number): void {
    const identity = identifyProcess(pid);
    if (identity === undefined) return;
    try {
      this.#journal.together(() => this.#meta.set("hook_process", `${pid} ${identity.startedAt}`));
    } catch (error) {
      // As with restic's process: the job does not end for that.
      this.#log.warn("could not note a hook's process", {
        error: error instanceof Error ? error : new Error("unknown error"),
      });
    }
  }

  /** What was marked last, also by an earlier life. */
  left(): { job: string; process: ProcessIdentity | undefined } | undefined {
    const job = this.#meta.get("hooks_of");
    if (job === undefined) return undefined;
    const [pid, startedAt] = /^(\d+) (.+)$/.exec(this.#meta.get("hook_process") ?? "")?.slice(1) ?? [];
    if (pid === undefined || startedAt === undefined) return { job, process: undefined };
    return { job, process: { pid: Number(pid), startedAt } };
  }
}
