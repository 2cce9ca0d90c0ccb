/** Why the server closes an agent's socket. The numbers are part of the protocol. */
export const CLOSE = {
  /** A newer connection of the same host took over. */
  replaced: 4001,
  /** The bearer is unknown or was revoked; the agent stops trying fast and says so. */
  revoked: 4003,
  /** Another machine holds a living connection with the same bearer. */
  clone: 4004,
  protocol: 4005,
  /** A sequence number was skipped: connect again and send from `last_seq + 1`. */
  gap: 4006,
  malformed: 4007,
  hello_late: 4008,
  /** The store refused to commit; come back later. */
  store: 4009,
  /** Nothing was heard from the agent for so long that it counts as offline. */
  silent: 4010,
  restarting: 1012,
} as const;
export type CloseReason = keyof typeof CLOSE;
