import type { Cancel, Clock } from "../clock.ts";

/** One server-sent event. */
export interface StreamEvent {
  event?: string;
  /** Comes back as `Last-Event-ID` when the viewer returns. */
  id?: string;
  /** Line breaks are kept. */
  data: string;
}

export interface StreamParts {
  clock: Clock;
  /** Ends every stream when the server stops. */
  stopping: AbortSignal;
  /** Keeps the response open beyond the server's idle timeout (`Peer.keepOpen`). */
  keepOpen?: (() => void) | undefined;
  /** False once the viewer may see no more: looked at now and then, since a stream outlives the request that was let in. */
  allowed?: () => Promise<boolean>;
  /** Told of an error in the source; the stream just ends, and the viewer comes back. */
  onError: (error: unknown) => void;
}

/** A comment this often keeps proxies from closing a quiet stream; most give up after 60 s. */
const HEARTBEAT_MS = 15_000;
/** How soon a session that was revoked stops seeing. */
const ALLOWED_CHECK_MS = 10_000;
const COMMENT = new TextEncoder().encode(": \n\n");

/**
 * Answers with server-sent events from `source`.
 *
 * The source is asked for its next event only when the viewer has taken the last: a slow viewer costs the kernel's buffers
 * and no memory of ours. So a source reads what is new from where it stands (the store, or a bounded `feed`) rather than
 * collecting events.
 *
 * @param source gives events, or the bytes of `encodeEvent` when many viewers get the same. It must end soon after `signal` aborts:
 * the viewer has gone, or the server stops.
 */
export function streamEvents(
  parts: StreamParts,
  source: (signal: AbortSignal) => AsyncIterable<StreamEvent | Uint8Array>,
): Response {
  parts.keepOpen?.();
  const ended = new AbortController();
  const events = source(ended.signal)[Symbol.asyncIterator]();
  let waiting: Promise<IteratorResult<StreamEvent | Uint8Array> | "failed"> | null = null;
  let endChecks: Cancel = () => undefined;
  const end = () => {
    endChecks();
    parts.stopping.removeEventListener("abort", end);
    ended.abort();
    void events.return?.().catch(parts.onError);
  };
  parts.stopping.addEventListener("abort", end);
  const { allowed } = parts;
  if (allowed !== undefined) {
    const check = async (): Promise<void> => {
      if (!(await allowed())) end();
    };
    endChecks = parts.clock.every(ALLOWED_CHECK_MS, () => void check().catch(parts.onError));
  }
  if (parts.stopping.aborted) end();

  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        waiting ??= events.next().catch((error: unknown) => {
          parts.onError(error);
          return "failed" as const;
        });
        const next = await firstOf(parts.clock, ended.signal, waiting);
        if (next === "quiet") return controller.enqueue(COMMENT);
        if (next === "ended" || next === "failed" || next.done === true) {
          end();
          return controller.close();
        }
        waiting = null;
        controller.enqueue(next.value instanceof Uint8Array ? next.value : encodeEvent(next.value));
      },
      cancel: end,
    },
    { highWaterMark: 0 },
  );
  return new Response(stream, {
    headers: {
      "content-type": "text/event-stream",
      "cache-control": "no-store",
      // nginx would collect the events otherwise.
      "x-accel-buffering": "no",
    },
  });
}

/** An event as it travels, for a source that sends the same one to many. */
export function encodeEvent({ event, id, data }: StreamEvent): Uint8Array {
  const lines = data.split(/\r\n|\r|\n/).map((line) => `data: ${line}\n`);
  const head = `${event === undefined ? "" : `event: ${event}\n`}${id === undefined ? "" : `id: ${id}\n`}`;
  return new TextEncoder().encode(`${head}${lines.join("")}\n`);
}

/** What happens first: the work, the end, or a heartbeat's time without either. Leaves no timer and no listener behind. */
function firstOf<T>(clock: Clock, signal: AbortSignal, work: Promise<T>): Promise<T | "quiet" | "ended"> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      cancel();
      signal.removeEventListener("abort", onAbort);
      finish();
    };
    const onAbort = () => settle(() => resolve("ended"));
    const cancel: Cancel = clock.after(HEARTBEAT_MS, () => settle(() => resolve("quiet")));
    signal.addEventListener("abort", onAbort);
    if (signal.aborted) onAbort();
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    );
  });
}
