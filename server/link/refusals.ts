import type { Hello } from "@restic-manager/protocol/hello";
import type { HostId } from "@restic-manager/protocol/ids";
import { judgeProtocol, PROTOCOL_HELP_PATH } from "@restic-manager/protocol/version";
import type { Bus } from "../platform/bus.ts";
import { instant, type Clock } from "../platform/clock.ts";
import type { Database } from "../platform/db/schema.ts";
import type { Connection } from "./connection.ts";
import { foreignWords } from "./socket.ts";
import { writeProblem } from "./store.ts";

export interface RefusalParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  /** The address people use; help links in errors begin with it. */
  publicAddress: () => Promise<string>;
  /** Lets work go on by itself. */
  aside: (doing: string, work: Promise<void>) => void;
}

/** Turns agents away with a reason that their host's page shows too. */
export class Refusals {
  readonly #parts: RefusalParts;

  constructor(parts: RefusalParts) {
    this.#parts = parts;
  }

  /** An agent of a protocol that is not served; of one that is, its hello could not be read. */
  foreign(connection: Connection, version: number): void {
    const { clock, publicAddress, aside } = this.#parts;
    const verdict = judgeProtocol(version);
    if (verdict === "served") return connection.complain(clock.now(), "hello lacks epoch, outbox or jobs");
    const words = foreignWords(verdict, version);
    const refuse = async (): Promise<void> => {
      await this.#remember(connection.hostId, verdict, words);
      connection.refuse("protocol", verdict, words, `${await publicAddress()}${PROTOCOL_HELP_PATH}`);
    };
    aside("refuse a protocol", refuse());
  }

  /** Another machine is connected with the same bearer. */
  clone(connection: Connection, hello: Hello): void {
    const words = `Another machine (${hello.hostname}, ${connection.address ?? "address unknown"}) tried to connect with this host's bearer while it is connected. Was it cloned? Enrol the other machine by itself.`;
    this.#parts.aside("note a refused connection", this.#remember(connection.hostId, "clone", words));
    connection.refuse(
      "clone",
      "clone",
      "Another machine is connected with this bearer. Enrol this one by itself.",
    );
  }

  async #remember(hostId: HostId, code: string, message: string): Promise<void> {
    const { db, clock, bus } = this.#parts;
    const problem = { code, message, at: instant(clock.now()) };
    await db.transaction().execute((trx) => writeProblem(trx, hostId, problem));
    bus.publish("host.changed", { hostId });
  }
}
