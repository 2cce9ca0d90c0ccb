import { HostId, JobId, SourceGroupId } from "@restic-manager/protocol/ids";
import { hex, seeded } from "./random.ts";

/** Who a simulated machine is: all of it follows from the seed and the machine's number, at both ends. */
export interface Identity {
  /** From 0. */
  number: number;
  hostId: HostId;
  name: string;
  bearer: string;
  machineId: string;
  groupId: SourceGroupId;
  repositoryId: string;
  /** The job that opened its repository, long ago. */
  initJobId: JobId;
}

/** Crockford's alphabet without the letters that a decimal number lacks: digits are enough for a ULID. */
const ulid = (kind: string, number: number): string => `01JD${kind}${String(number).padStart(21, "0")}`;

/** The machine of that number. */
export function identityOf(seed: number, number: number): Identity {
  const random = seeded(seed, "identity", number);
  return {
    number,
    hostId: HostId.parse(ulid("H", number)),
    name: `sim-${String(number).padStart(5, "0")}`,
    bearer: `sim_${hex(random, 40)}`,
    machineId: hex(random, 32),
    groupId: SourceGroupId.parse(ulid("G", number)),
    repositoryId: hex(random, 64),
    initJobId: JobId.parse(ulid("J", number)),
  };
}

/** What every simulated machine backs up. */
export const SIMULATED_GROUP = {
  name: "everything",
  includes: ["/srv", "/home"],
  excludes: ["*.tmp"],
} as const;

/** Where a simulated machine's repository would be; nobody ever opens it. */
export function simulatedRepository(identity: Identity) {
  return {
    url: `rest:http://127.0.0.1:9/${identity.name}/`,
    username: identity.name,
    password: `account-${identity.machineId}`,
    repository_password: `repository-${identity.machineId}`,
  };
}
