import type { HostId } from "@restic-manager/protocol/ids";
import type { ScheduleSet } from "@restic-manager/protocol/schedule";
import type { Connection } from "./connection.ts";
import type { Hub } from "./hub.ts";

/** Sends agents what they fire by themselves. */
export class ScheduleSender {
  readonly #hub: Hub;
  readonly #schedulesFor: (hostId: HostId) => Promise<ScheduleSet | undefined>;
  /** Connections with a look that has not begun: it will see what changed meanwhile too. */
  readonly #due = new Set<Connection>();

  constructor(parts: { hub: Hub; schedulesFor: (hostId: HostId) => Promise<ScheduleSet | undefined> }) {
    this.#hub = parts.hub;
    this.#schedulesFor = parts.schedulesFor;
  }

  /** Sends the newest if the agent has another version. Many changes at once are sent once, and the newest goes last. */
  send(hostId: HostId): Promise<void> {
    const connection = this.#hub.current(hostId);
    if (connection === undefined || this.#due.has(connection)) return Promise.resolve();
    this.#due.add(connection);
    const done = (connection.scheduling ?? Promise.resolve()).then(() => this.#sendTo(connection));
    const settled = done
      .catch(() => undefined)
      .then(() => {
        if (connection.scheduling === settled) connection.scheduling = undefined;
      });
    connection.scheduling = settled;
    return done;
  }

  async #sendTo(connection: Connection): Promise<void> {
    this.#due.delete(connection);
    const { hostId } = connection;
    if (connection.greeted === undefined) connection.missed = true;
    if (connection.greeted === undefined || !this.#hub.isCurrent(connection)) return;
    const set = await this.#schedulesFor(hostId);
    if (set === undefined || set.version === connection.scheduleVersion) return;
    if (connection.send(set)) connection.scheduleVersion = set.version;
  }
}
