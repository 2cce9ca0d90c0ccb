import type { Kysely } from "kysely";
import * as first from "./migrations/0001_first.ts";
import * as fleet from "./migrations/0002_fleet.ts";
import * as snapshotHost from "./migrations/0003_snapshot_host.ts";
import * as nodes from "./migrations/0004_nodes.ts";
import * as pages from "./migrations/0005_pages.ts";
import * as schedules from "./migrations/0006_schedules.ts";
import * as activeJobs from "./migrations/0007_active_jobs.ts";
import * as maintenance from "./migrations/0008_maintenance.ts";
import * as restore from "./migrations/0009_restore.ts";
import * as templates from "./migrations/0010_templates.ts";
import * as hostAtNode from "./migrations/0011_host_at_node.ts";
import * as repositorySince from "./migrations/0012_repository_since.ts";
import * as downloadAction from "./migrations/0013_download_action.ts";

/** One step of the tables' history. Never edited once released. */
export interface ReleaseMigration {
  up(db: Kysely<unknown>): Promise<void>;
  /** True when rows are rewritten or dropped: an SQLite file is copied before. */
  readonly changesData?: boolean;
}

/** Every step by name, in order. Static imports, so that a compiled executable has them. */
export const MIGRATIONS: Readonly<Record<string, ReleaseMigration>> = {
  "0001_first": first,
  "0002_fleet": fleet,
  "0003_snapshot_host": snapshotHost,
  "0004_nodes": nodes,
  "0005_pages": pages,
  "0006_schedules": schedules,
  "0007_active_jobs": activeJobs,
  "0008_maintenance": maintenance,
  "0009_restore": restore,
  "0010_templates": templates,
  "0011_host_at_node": hostAtNode,
  "0012_repository_since": repositorySince,
  "0013_download_action": downloadAction,
};
