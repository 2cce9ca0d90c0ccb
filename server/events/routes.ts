import type { StreamEvent } from "../platform/http/stream.ts";
import { mayKnowNames } from "../jobs/names.ts";
import { streamEvents } from "../platform/http/stream.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { eventStream, newRoom, route } from "../platform/http/room.ts";
import { createEventStream, type EventsParts } from "./stream.ts";

export interface EventsRoomParts extends EventsParts {
  /** Aborts when the server stops. */
  stopping: AbortSignal;
}

const events = route({
  method: "get",
  path: "/api/events",
  access: "viewer",
  summary: "One stream of changes for the console",
  responses: {
    200: eventStream(
      "`ServerEvent`s as JSON. After `ready`, ask again for whatever is shown: something may have been missed.",
    ),
  },
});

/** What changes, told to every open page. */
export function eventsRoom(parts: EventsRoomParts) {
  const stream = createEventStream(parts);
  return newRoom().openapi(events, (c) => {
    const caller = c.get("caller");
    if (caller.kind !== "user") throw new ApiProblem("unauthenticated", "sign in first");
    const { clock, stopping, onError } = parts;
    const keepOpen = c.env?.keepOpen;
    return streamEvents({ clock, stopping, keepOpen, onError }, (signal) =>
      asEvents(stream.open({ sessionHash: caller.sessionHash, names: mayKnowNames(caller) }, signal)),
    );
  });
}

async function* asEvents(source: AsyncIterable<string>): AsyncGenerator<StreamEvent, void, void> {
  for await (const data of source) yield { data };
}
