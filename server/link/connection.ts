import type { Hello } from "@restic-manager/protocol/hello";
import { CLOSE, type CloseReason } from "@restic-manager/protocol/close";
import type { Epoch, HostId, JobId } from "@restic-manager/protocol/ids";
import { MALFORMED_PER_MINUTE } from "@restic-manager/protocol/limits";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import type { Clock } from "../platform/clock.ts";
import { CLOSE_WORDS, encodeServerMessage, type LinkSocket } from "./socket.ts";

/** Jobs to finish as lost once everything the agent had to say at its hello is committed. */
export interface Reconciliation {
  /** The agent's highest number at its hello. */
  upTo: number;
  lost: { jobId: JobId; why: "agent_lost_job" | "agent_state_lost" }[];
}

/** What a connection knows once its hello was taken. */
export interface Greeted {
  epoch: Epoch;
  /** Highest number taken into the queue; nothing above `received + 1` is taken. */
  received: number;
  /** Highest number committed, and so acknowledged. */
  committed: number;
  reconciliation: Reconciliation | undefined;
  /** The agent was told to send its full state again, and has not shown yet that it did. */
  resyncing: boolean;
}

const NO_JOBS: readonly JobId[] = [];

/** One agent's socket, from its opening to its close. */
export class Connection {
  readonly hostId: HostId;
  readonly address: string | null;
  /** Rises with each connection of this server; with the server's name it says whose frames count. */
  readonly number: number;
  readonly #socket: LinkSocket;
  #malformed: number[] | undefined;
  /** Undefined until the hello was taken. */
  greeted: Greeted | undefined;
  machineId = "unknown";
  /** What the agent speaks; zero until its hello. */
  protocol = 0;
  /** Version of the configuration that the agent has, or that was sent on this connection. */
  configVersion = 0;
  /** Settles when every configuration so far was sent: the newest must be the last. */
  configuring: Promise<void> | undefined;
  /** Something came for it between its hello and the answer: whoever reads the store for it has to do so again. */
  missed = false;
  /** As `configVersion` and `configuring`, for what the agent fires by itself. */
  scheduleVersion = 0;
  scheduling: Promise<void> | undefined;
  /** Jobs that its agent has taken and cannot begin before their commands have come once more. */
  commandsNeeded: readonly JobId[] = NO_JOBS;
  lastFrameAt: number;
  /** The same by the clock that nobody sets, for telling a silence. */
  heardAt: number;
  closed = false;
  /** Frames taken and not yet committed. */
  waiting = 0;

  constructor(parts: {
    hostId: HostId;
    socket: LinkSocket;
    address: string | null;
    clock: Clock;
    number: number;
  }) {
    this.hostId = parts.hostId;
    this.address = parts.address;
    this.number = parts.number;
    this.#socket = parts.socket;
    this.lastFrameAt = parts.clock.now();
    this.heardAt = parts.clock.elapsed();
  }

  /** A frame came. */
  heard(clock: Clock): void {
    this.lastFrameAt = clock.now();
    this.heardAt = clock.elapsed();
  }

  /** Notes what the agent says it holds. A server that went back in time may give a number again that stands for something else. */
  holds(hello: Hello, next: "continue" | "resync"): void {
    this.commandsNeeded = hello.commands_needed ?? NO_JOBS;
    this.configVersion = next === "resync" ? -1 : hello.config_version;
    this.scheduleVersion = next === "resync" ? -1 : hello.schedule_version;
  }

  /** Sends; a socket that takes no more is closed, since what it lost would be missing for ever. */
  send(message: ServerMessage): boolean {
    if (this.closed) return false;
    if (this.#socket.send(encodeServerMessage(message))) return true;
    this.close("store");
    return false;
  }

  /** Says why in an `error` frame, then closes: a client sees no reason of a close it did not expect. */
  refuse(reason: CloseReason, code: string, message: string, helpUrl?: string): void {
    this.send({ type: "error", code, message, ...(helpUrl === undefined ? {} : { help_url: helpUrl }) });
    this.close(reason);
  }

  close(reason: CloseReason): void {
    if (this.closed) return;
    this.closed = true;
    this.#socket.close(CLOSE[reason], CLOSE_WORDS[reason]);
  }

  /** Counts a frame that could not be read; the tenth within a minute closes. */
  complain(now: number, reason: string): void {
    const recent = (this.#malformed ?? []).filter((at) => at > now - 60_000);
    recent.push(now);
    this.#malformed = recent;
    this.send({ type: "error", code: "malformed_frame", message: `A frame could not be read: ${reason}` });
    if (recent.length >= MALFORMED_PER_MINUTE) this.close("malformed");
  }
}
