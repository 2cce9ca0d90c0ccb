import type { MiddlewareHandler } from "hono";
import type { RoomEnv } from "./caller.ts";
import { problemResponse, tooLarge } from "./problem.ts";

/** Largest body a route takes, in bytes; what agents send in bulk goes over their link. */
export const BODY_BYTES = 1024 * 1024;

/** Refuses a larger body: at once when it says its size, else as soon as it has grown too large. */
export function bodyLimit(most: number = BODY_BYTES): MiddlewareHandler<RoomEnv> {
  return async (c, next) => {
    const request = c.req.raw;
    if (request.body === null) return next();
    const announced = request.headers.get("content-length");
    if (announced !== null && !request.headers.has("transfer-encoding")) {
      if (Number(announced) > most) throw tooLarge();
      return next();
    }
    let size = 0;
    const counted = request.body.pipeThrough(
      new TransformStream<Uint8Array, Uint8Array>({
        transform(part, controller) {
          size += part.byteLength;
          if (size > most) controller.error(tooLarge());
          else controller.enqueue(part);
        },
      }),
    );
    c.req.raw = new Request(request.url, {
      method: request.method,
      headers: request.headers,
      signal: request.signal,
      body: counted,
    });
    await next();
    // Whoever was reading took the broken stream for malformed JSON.
    if (size > most) c.res = problemResponse(tooLarge());
  };
}
