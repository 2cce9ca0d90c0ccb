import type { AgentConfig } from "@restic-manager/protocol/config";
import { CLOSE } from "@restic-manager/protocol/close";
import { HEARTBEAT_MS, OFFLINE_AFTER_MS, WINDOW_BYTES, WINDOW_FRAMES } from "@restic-manager/protocol/limits";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import {
  parseServerMessage,
  type CommandRun,
  type ServerMessage,
} from "@restic-manager/protocol/server-message";
import type { JobId } from "@restic-manager/protocol/ids";
import type { DownloadOrder } from "@restic-manager/protocol/download";
import type { ScheduleSet } from "@restic-manager/protocol/schedule";
import type { TreeQuestion } from "@restic-manager/protocol/tree";
import { reconnectDelay, slowDelay } from "./backoff.ts";
import { isDiskFull } from "./disk-full.ts";
import type { Outbox } from "./outbox.ts";
import type { Cancel, Timers } from "./timers.ts";

/** One connection to the server, whatever it is made of. After `closed` nothing more is called. */
export interface Socket {
  /** Returns false when the frame was not taken; the link then starts over. */
  send(data: string | Uint8Array<ArrayBuffer>): boolean;
  /** Ends it at once, without waiting for the other side. */
  drop(): void;
}

export interface SocketEvents {
  opened(): void;
  message(data: string): void;
  /** `code` as in protocol/close.ts, or 1006 when the network broke it. */
  closed(code: number, reason: string): void;
}

/** What the rest of the agent does with what the server says. */
export interface LinkDuties {
  hello(): Record<string, unknown>;
  run(command: CommandRun): void;
  cancel(jobId: JobId, now: boolean): void;
  configure(config: AgentConfig): void;
  schedule(set: ScheduleSet): void;
  /** Somebody looks into a snapshot; the answer goes by `say`. */
  browse(question: TreeQuestion): void;
  /** Somebody downloads from a snapshot, or does no longer. */
  download(order: DownloadOrder): void;
  /** Nobody waits for that answer any more. */
  leave(requestId: string): void;
  /** The connection is gone, and with it whoever waited for an answer. */
  lost(): void;
  /** The server went back in time: append every outcome again. */
  resync(): void;
  /** Written for people: connected, lost, refused and why. */
  say(level: "info" | "warn", text: string): void;
}

/**
 * After these, trying again soon changes nothing. `replaced` means that another agent with this bearer lives on this machine (what
 * became of our own earlier sockets we do not hear): two that try fast would throw each other out for ever.
 */
const SLOW = new Set<number>([CLOSE.protocol, CLOSE.revoked, CLOSE.clone, CLOSE.replaced]);

type State =
  | { name: "stopped" }
  | { name: "waiting"; timer: Cancel }
  | { name: "connecting"; socket: Socket }
  | { name: "greeting"; socket: Socket }
  | { name: "open"; socket: Socket };

/**
 * Keeps the agent connected and moves the outbox over the link: a cursor from the server's `last_seq + 1`, a window of what may be
 * in flight, deletion only on acknowledgement. Knows nothing of jobs; a job never notices it coming and going.
 */
export class Link {
  readonly #outbox: Outbox;
  readonly #timers: Timers;
  readonly #connect: (events: SocketEvents) => Socket;
  readonly #duties: LinkDuties;
  #state: State = { name: "stopped" };
  #attempt = 0;
  #slow = false;
  /** Next number to send, and what is in flight: number and size, in order. */
  #cursor = 1;
  #inFlight: { seq: number; bytes: number }[] = [];
  #inFlightBytes = 0;
  /** Up to here the server has everything on this connection, and the disk was too full to delete it. */
  #notForgotten: number | undefined;
  #heartbeat: Cancel | undefined;
  #deadline: Cancel | undefined;
  #ending: () => void;

  constructor(parts: {
    outbox: Outbox;
    timers: Timers;
    connect: (events: SocketEvents) => Socket;
    duties: LinkDuties;
  }) {
    this.#outbox = parts.outbox;
    this.#timers = parts.timers;
    this.#connect = parts.connect;
    this.#duties = parts.duties;
    this.#ending = () => {};
  }

  get connected(): boolean {
    return this.#state.name === "open";
  }

  start(): void {
    if (this.#state.name !== "stopped") return;
    this.#ending = this.#outbox.onCommitted(() => this.#guarded(() => this.#pump()));
    this.#open();
  }

  stop(): void {
    this.#ending();
    const { socket } = this.#rest({ name: "stopped" });
    socket?.drop();
  }

  /** Connects anew at once, since something that only a hello tells has changed. */
  reconnect(): void {
    if (!("socket" in this.#state)) return;
    const { socket } = this.#rest({ name: "stopped" });
    socket?.drop();
    this.#open();
  }

  /** Sends what may be lost, if there is a connection. */
  say(message: TransientMessage): void {
    if (this.#state.name !== "open") return;
    // Nobody answers progress: if it stood in for a heartbeat, a long job with nothing else to tell would make the server seem gone.
    const beats = message.type !== "job.progress";
    this.#send(this.#state.socket, JSON.stringify(message), beats);
  }

  /** Sends bytes that may be lost. False when there is no connection, or it takes no more. */
  sendBytes(frame: Uint8Array<ArrayBuffer>): boolean {
    return this.#state.name === "open" && this.#send(this.#state.socket, frame);
  }

  #open(): void {
    let socket: Socket | undefined;
    // A socket that was replaced may still call back; only the present one counts.
    const present = (): boolean =>
      socket !== undefined && "socket" in this.#state && this.#state.socket === socket;
    socket = this.#connect({
      opened: () => {
        const here = socket;
        if (present() && here !== undefined) this.#guarded(() => this.#greet(here));
      },
      message: (data) => {
        if (present()) this.#guarded(() => this.#receive(data));
      },
      closed: (code, reason) => {
        if (present()) this.#lost(code, reason);
      },
    });
    this.#state = { name: "connecting", socket };
    this.#expect();
  }

  /**
   * What the state file refuses (a full disk, a damaged page) ends the connection and not the agent, whose restic may be at
   * work: the next connection begins where this one stood.
   */
  #guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      const why = error instanceof Error ? error.message : "unknown error";
      if ("socket" in this.#state) {
        this.#state.socket.drop();
        this.#lost(1006, `the agent's own state cannot be used: ${why}`);
      }
    }
  }

  #greet(socket: Socket): void {
    this.#state = { name: "greeting", socket };
    this.#inFlight = [];
    this.#inFlightBytes = 0;
    this.#send(socket, JSON.stringify(this.#duties.hello()));
  }

  #receive(data: string): void {
    this.#expect();
    const message = parseServerMessage(data);
    if (message === undefined) return;
    switch (message.type) {
      case "welcome":
        return this.#welcome(message);
      case "ack":
        return this.#acknowledged(message.seq);
      case "command.run":
        return this.#duties.run(message);
      case "command.cancel":
        return this.#duties.cancel(message.job_id, message.now);
      case "config.update":
        return this.#duties.configure(message.config);
      case "schedule.set":
        return this.#duties.schedule(message);
      case "tree.list":
      case "tree.search":
      case "tree.versions":
        return this.#duties.browse(message);
      case "download.open":
      case "download.more":
      case "download.stop":
        return this.#duties.download(message);
      case "tree.cancel":
        return this.#duties.leave(message.request_id);
      case "error":
        return this.#told(message);
    }
  }

  #welcome(welcome: Extract<ServerMessage, { type: "welcome" }>): void {
    if (this.#state.name !== "greeting") return;
    const { socket } = this.#state;
    if (welcome.next === "new_epoch") {
      this.#duties.say(
        "warn",
        "This agent's state went back in time (a restored disk?); it starts a new numbering.",
      );
      this.#outbox.beginEpoch();
      return this.#greet(socket);
    }
    if (welcome.last_seq > this.#outbox.highest) {
      // Whoever has more than was ever said must ask for a new numbering; to go on would drop what is not said yet.
      socket.drop();
      return this.#lost(1006, "the server says it has reports that this agent never made");
    }
    this.#state = { name: "open", socket };
    this.#attempt = 0;
    this.#slow = false;
    this.#forget(welcome.last_seq);
    this.#cursor = welcome.last_seq + 1;
    this.#beat();
    this.#duties.say("info", "Connected to the server.");
    if (welcome.next === "resync") {
      this.#duties.say(
        "warn",
        "The server does not know all of this agent's past; sending it every outcome again.",
      );
      this.#duties.resync();
    }
    this.#pump();
  }

  #acknowledged(seq: number): void {
    if (this.#state.name !== "open") return;
    const past = this.#inFlight.findIndex((frame) => frame.seq > seq);
    const gone = this.#inFlight.splice(0, past === -1 ? this.#inFlight.length : past);
    const last = gone.at(-1);
    if (last === undefined) return;
    for (const frame of gone) this.#inFlightBytes -= frame.bytes;
    // Not what it says beyond that: what was never sent, nobody can have.
    this.#forget(last.seq);
    this.#pump();
  }

  /**
   * On a full disk even a deletion needs room. What stays goes with the next acknowledgement or heartbeat: it is not sent again.
   */
  #forget(seq: number): void {
    try {
      this.#outbox.acknowledge(seq);
      this.#notForgotten = undefined;
    } catch (error) {
      if (!isDiskFull(error)) throw error;
      this.#notForgotten = seq;
    }
  }

  /** Sends as much as the window allows. */
  #pump(): void {
    if (this.#state.name !== "open") return;
    const { socket } = this.#state;
    while (this.#inFlight.length < WINDOW_FRAMES && this.#inFlightBytes < WINDOW_BYTES) {
      const frames = this.#outbox.read(
        this.#cursor,
        WINDOW_FRAMES - this.#inFlight.length,
        WINDOW_BYTES - this.#inFlightBytes,
      );
      if (frames.length === 0) return;
      for (const frame of frames) {
        this.#inFlight.push({ seq: frame.seq, bytes: frame.bytes });
        this.#inFlightBytes += frame.bytes;
        this.#cursor = frame.seq + 1;
        if (!this.#send(socket, frame.data)) return;
      }
    }
  }

  #send(socket: Socket, data: string | Uint8Array<ArrayBuffer>, beats = true): boolean {
    if (socket.send(data)) {
      if (beats) this.#beat();
      return true;
    }
    socket.drop();
    this.#lost(1006, "the socket took no more");
    return false;
  }

  /** A heartbeat follows whenever nothing else that is answered was sent for a while. */
  #beat(): void {
    this.#heartbeat?.();
    this.#heartbeat = this.#timers.after(HEARTBEAT_MS, () => {
      this.#heartbeat = undefined;
      const left = this.#notForgotten;
      if (left !== undefined) this.#guarded(() => this.#forget(left));
      this.say({ type: "heartbeat", at: new Date(this.#timers.now()).toISOString() });
    });
  }

  /** A server that says nothing for as long as it would wait for us is gone, whatever TCP believes. */
  #expect(): void {
    this.#deadline?.();
    this.#deadline = this.#timers.after(OFFLINE_AFTER_MS, () => {
      if (!("socket" in this.#state)) return;
      this.#state.socket.drop();
      this.#lost(1006, `no word from the server for ${OFFLINE_AFTER_MS / 1000} s`);
    });
  }

  #told(error: Extract<ServerMessage, { type: "error" }>): void {
    const help = error.help_url === undefined ? "" : ` See ${error.help_url}`;
    this.#duties.say("warn", `The server says: ${error.message} (${error.code})${help}`);
  }

  #lost(code: number, reason: string): void {
    const wasOpen = this.#state.name === "open";
    this.#slow = SLOW.has(code);
    const random = this.#timers.random();
    const delay = this.#slow ? slowDelay(random) : reconnectDelay(this.#attempt, random);
    this.#attempt += 1;
    const timer = this.#timers.after(delay, () => this.#open());
    this.#rest({ name: "waiting", timer });
    if (wasOpen || this.#attempt === 1 || this.#slow) {
      const why = reason === "" ? `closed with ${code}` : reason;
      this.#duties.say("warn", `Not connected to the server (${why}). Backups go on; trying again.`);
    }
  }

  #rest(next: State): { socket: Socket | undefined } {
    const before = this.#state;
    this.#notForgotten = undefined;
    this.#heartbeat?.();
    this.#deadline?.();
    this.#heartbeat = undefined;
    this.#deadline = undefined;
    if (before.name === "waiting") before.timer();
    this.#state = next;
    if (before.name === "open") this.#duties.lost();
    return { socket: "socket" in before ? before.socket : undefined };
  }
}
