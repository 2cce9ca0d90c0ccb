import {
  TemplateContent,
  type TemplateEdit,
  type TemplateInput,
} from "@restic-manager/protocol/api/templates";
import { TemplateId } from "@restic-manager/protocol/ids";
import type { UserActor } from "../audit/actor.ts";
import type { Audit } from "../platform/audit.ts";
import type { Clock } from "../platform/clock.ts";
import { isUniqueViolation } from "../platform/db/errors.ts";
import type { Database, Trx } from "../platform/db/schema.ts";
import { ApiProblem } from "../platform/http/problem.ts";
import { refuseStale } from "../platform/http/two-editors.ts";
import type { Ids } from "../platform/ids.ts";
import { groupColumns, refuseTooMuch } from "../sources/change.ts";
import {
  insertTemplate,
  lockTemplate,
  readFollowers,
  removeTemplate,
  updateTemplate,
  type TemplateRow,
} from "./store.ts";

export interface ChangeTemplateParts {
  db: Database;
  clock: Clock;
  audit: Audit;
  ids: Ids;
}

/** @throws ApiProblem `name_taken`, or `validation_failed` when it says more than a host may have. */
export async function createTemplate(
  { db, clock, audit, ids }: ChangeTemplateParts,
  input: TemplateInput,
  actor: UserActor,
): Promise<TemplateId> {
  const id = ids.mint(TemplateId);
  await named(
    db.transaction().execute(async (trx) => {
      const columns = columnsOf(input, actor, clock.now());
      await insertTemplate(trx, { id, version: 1, created_at: clock.now(), ...columns });
      await record(audit, trx, "template.created", actor, id, input);
    }),
  );
  return id;
}

/**
 * Replaces a template whole. Hosts that follow it change when it is applied to them again; until then they differ.
 *
 * @throws ApiProblem as `createTemplate`, `not_found`, `changed_meanwhile`.
 */
export async function replaceTemplate(
  { db, clock, audit }: ChangeTemplateParts,
  id: TemplateId,
  { version, ...input }: TemplateEdit,
  actor: UserActor,
): Promise<void> {
  await named(
    db.transaction().execute(async (trx) => {
      const before = existing(await lockTemplate(trx, id));
      refuseStale(`the policy template ${before.name}`, before, version);
      await updateTemplate(trx, id, {
        ...columnsOf(input, actor, clock.now()),
        version: before.version + 1,
      });
      await record(audit, trx, "template.updated", actor, id, input, { name_before: before.name });
    }),
  );
}

/** Hosts that follow it keep all they have. */
export async function deleteTemplate(
  { db, audit }: ChangeTemplateParts,
  id: TemplateId,
  actor: UserActor,
): Promise<void> {
  await db.transaction().execute(async (trx) => {
    const { name } = existing(await lockTemplate(trx, id));
    const following = await readFollowers(trx, id);
    await removeTemplate(trx, id);
    await audit.record(trx, {
      actor,
      action: "template.deleted",
      target: { kind: "template", id, name },
      detail: { hosts: following.length },
    });
  });
}

/** What a template says. */
export function contentOf(row: Pick<TemplateRow, "content">): TemplateContent {
  return TemplateContent.parse(JSON.parse(row.content));
}

/** @throws ApiProblem `not_found`. */
export function existing(row: TemplateRow | undefined): TemplateRow {
  if (row === undefined) throw new ApiProblem("not_found", "there is no such policy template");
  return row;
}

function columnsOf({ name, content }: TemplateInput, actor: UserActor, now: number) {
  refuseTooMuch(content.groups.map(groupColumns));
  return {
    name,
    name_key: name.toLowerCase(),
    content: JSON.stringify(content),
    changed_at: now,
    changed_by: actor.name,
  };
}

async function record(
  audit: Audit,
  trx: Trx,
  action: "template.created" | "template.updated",
  actor: UserActor,
  id: TemplateId,
  { name, content }: TemplateInput,
  more: Record<string, string> = {},
): Promise<void> {
  const names = (list: readonly { name: string }[]) =>
    list
      .map((one) => one.name)
      .join(", ")
      .slice(0, 4_096);
  await audit.record(trx, {
    actor,
    action,
    target: { kind: "template", id, name },
    detail: {
      groups: names(content.groups),
      schedules: names(content.schedules),
      ...(more["name_before"] === name ? {} : more),
    },
  });
}

async function named(done: Promise<void>): Promise<void> {
  await done.catch((error: unknown) => {
    if (!isUniqueViolation(error)) throw error;
    throw new ApiProblem("name_taken", "another policy template has this name", {
      fields: { name: "another policy template has this name" },
    });
  });
}
