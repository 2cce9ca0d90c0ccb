import type { HostId } from "@restic-manager/protocol/ids";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import type { TreeAnswer, TreeQuestion } from "@restic-manager/protocol/tree";
import { BROWSING_SINCE } from "@restic-manager/protocol/version";
import type { Link } from "../link/link.ts";
import { EPOCH } from "./link.ts";

/** Without the name of its question, which the agent adds. */
export type Reply = TreeAnswer extends infer A
  ? A extends TreeAnswer
    ? Omit<A, "request_id">
    : never
  : never;

/** An agent on the link that answers questions about snapshots as the test says; `undefined` is silence. */
export async function browsedAgent(
  link: Link,
  hostId: HostId,
  reply: (question: TreeQuestion) => Reply | undefined,
  version: number = BROWSING_SINCE,
) {
  const asked: TreeQuestion[] = [];
  const left: string[] = [];
  const heard = (message: ServerMessage): void => {
    if (message.type === "tree.cancel") left.push(message.request_id);
    if (message.type !== "tree.list" && message.type !== "tree.search" && message.type !== "tree.versions")
      return;
    asked.push(message);
    const answer = reply(message);
    if (answer === undefined) return;
    const frame = JSON.stringify({ ...answer, request_id: message.request_id });
    // Not from within the server's own call.
    queueMicrotask(() => link.received(connection, frame));
  };
  const connection = link.opened(
    hostId,
    {
      send: (text) => {
        heard(JSON.parse(text) as ServerMessage);
        return true;
      },
      close: () => {},
    },
    null,
  );
  link.received(
    connection,
    JSON.stringify({
      type: "hello",
      protocol_version: version,
      machine_id: "m1",
      epoch: EPOCH,
      outbox: { lowest: 1, highest: 0 },
      jobs: [],
    }),
  );
  await link.settled();
  return { asked, left, leave: () => link.closed(connection) };
}
