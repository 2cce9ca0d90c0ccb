import type { AgentConfig } from "@restic-manager/protocol/config";
import type { HostId } from "@restic-manager/protocol/ids";
import type { TransientMessage } from "@restic-manager/protocol/messages";
import type { ScheduleSet } from "@restic-manager/protocol/schedule";
import type { Bus } from "../platform/bus.ts";
import type { Clock } from "../platform/clock.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import type { Reconciliation } from "./connection.ts";
import type { ApplyLogs, ApplyMessage } from "./ingest.ts";
import type { NodeParts } from "./nodes.ts";
import type { Touched } from "./touched.ts";

/** What the link stands on, and what the rooms above it do with what agents say. */
export interface LinkParts {
  db: Database;
  clock: Clock;
  bus: Bus;
  /** Absent where there is one server. */
  nodes?: NodeParts;
  /** The address people use; help links in errors begin with it. */
  publicAddress: () => Promise<string>;
  apply: ApplyMessage;
  applyLogs: ApplyLogs;
  /** Recomputes what is derived from hosts' facts, inside the same transaction. */
  refreshHosts: (trx: Trx, hostIds: HostId[]) => Promise<void>;
  /** Finishes jobs that an agent came back without. */
  finishLost: (trx: Trx, lost: Reconciliation["lost"], touched: Touched) => Promise<void>;
  /** What the agent should hold; the reading of its secrets is audited by whoever provides this. */
  configFor: (hostId: HostId) => Promise<AgentConfig | undefined>;
  /** What the agent should fire by itself. */
  schedulesFor: (hostId: HostId) => Promise<ScheduleSet | undefined>;
  progress: (hostId: HostId, message: Extract<TransientMessage, { type: "job.progress" }>) => void;
  /** With every hello that is taken: starts what hosts need at once, such as opening their repositories. */
  arrived: (trx: Trx, hostIds: HostId[]) => Promise<void>;
  isStoreTrouble: (error: unknown) => boolean;
  onError: (error: unknown, doing: string) => void;
  /** Hears of events that did not fit their job's state and changed nothing. */
  onUnfit?: (unfit: Touched["unfit"][number]) => void;
  /** See `IngestParts`. */
  gather?: () => Promise<void>;
  mostWaitingBytes?: number;
}
