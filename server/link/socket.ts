import type { CloseReason } from "@restic-manager/protocol/close";
import type { ServerMessage } from "@restic-manager/protocol/server-message";
import { PROTOCOL_VERSION, type ProtocolVerdict } from "@restic-manager/protocol/version";

/** The server's end of one agent's socket, whatever it is made of. */
export interface LinkSocket {
  /** Returns false when the frame was not taken; the connection is then useless. */
  send(data: string): boolean;
  close(code: number, reason: string): void;
}

/** Writes a message as the text frame that travels. */
export function encodeServerMessage(message: ServerMessage): string {
  // By far the most frequent one, and nothing in it needs care.
  return message.type === "ack" ? `{"type":"ack","seq":${message.seq}}` : JSON.stringify(message);
}

/** What an agent is told with each close, in words. */
export const CLOSE_WORDS: Record<CloseReason, string> = {
  replaced: "a newer connection of this host took over",
  revoked: "this agent's bearer is not known or was revoked; enrol the machine again",
  clone: "another machine is connected with the same bearer",
  protocol: "the protocol versions do not fit",
  gap: "a frame is missing; connect again and send from the last acknowledged one",
  malformed: "too many frames could not be read",
  hello_late: "no hello came in time",
  store: "the server cannot write to its store at the moment",
  silent: "nothing was heard from this agent for too long",
  restarting: "restarting",
};

/** What an agent of a protocol that is not served is told, and its host's page shows. */
export function foreignWords(verdict: Exclude<ProtocolVerdict, "served">, version: number): string {
  return verdict === "protocol_too_old"
    ? `This agent speaks protocol ${version}; this server needs a newer agent. Backups go on; update the agent.`
    : `This agent speaks protocol ${version}; this server knows ${PROTOCOL_VERSION} at most. Update the server.`;
}
