import { z } from "zod";
import { AgentConfig, RepositoryCredentials } from "./config.ts";
import { Instant, JobId } from "./ids.ts";
import { ActorKind } from "./jobs.ts";
import { ScheduleSet } from "./schedule.ts";
import { DownloadOrder } from "./download.ts";
import { TreeQuestion } from "./tree.ts";

const count = z.int().nonnegative();

/** What the server says. */
export const ServerMessage = z.discriminatedUnion("type", [
  /** Answers `hello`. Durable frames go from `last_seq + 1`. */
  z.object({
    type: z.literal("welcome"),
    protocol_version: count,
    server_time: Instant,
    last_seq: count,
    /** `new_epoch`: the agent went back in time. `resync`: the server did. */
    next: z.enum(["continue", "new_epoch", "resync"]).catch("continue"),
  }),
  /** Everything up to `seq` is committed. */
  z.object({ type: z.literal("ack"), seq: count }),
  z.object({ type: z.literal("config.update"), config: AgentConfig }),
  ScheduleSet,
  z.object({
    type: z.literal("command.run"),
    job_id: JobId,
    /** A string, not the list: a kind that this agent does not know yet is answered, not dropped. */
    kind: z.string().max(64),
    input: z.record(z.string(), z.unknown()),
    actor_kind: ActorKind,
    created_at: Instant,
    /**
     * What may delete in the repository, for an order that says `use_admin`; from version 3 on. Held in memory until the job is
     * over, and never written down.
     */
    admin: RepositoryCredentials.optional(),
  }),
  /** `now`: kill at once instead of asking restic to end. */
  z.object({ type: z.literal("command.cancel"), job_id: JobId, now: z.boolean() }),
  ...TreeQuestion.options,
  /** Nobody waits for that answer any more. */
  z.object({ type: z.literal("tree.cancel"), request_id: z.string().max(64) }),
  ...DownloadOrder.options,
  z.object({
    type: z.literal("error"),
    code: z.string().max(64),
    message: z.string().max(4_096),
    help_url: z.string().max(2_048).optional(),
  }),
]);
export type ServerMessage = z.infer<typeof ServerMessage>;
export type CommandRun = Extract<ServerMessage, { type: "command.run" }>;

/** Reads a frame from the server. A message this release does not know is `undefined`: a newer server may say more. */
export function parseServerMessage(data: string): ServerMessage | undefined {
  let json: unknown;
  try {
    json = JSON.parse(data);
  } catch {
    return undefined;
  }
  return ServerMessage.safeParse(json).data;
}
