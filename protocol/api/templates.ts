import { z } from "zod";
import { HostId, Instant, TemplateId } from "../ids.ts";
import { Changed, EditedVersion } from "./changed.ts";
import { Problem } from "./errors.ts";
import { RepoMaintenanceInput } from "./maintenance.ts";
import { HostTag } from "./tags.ts";
import { ScheduleInput } from "./schedules.ts";
import { SourceGroupInput } from "./sources.ts";

const shortName = z
  .string()
  .trim()
  .min(1, "enter a name")
  .max(128, "at most 128 characters")
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  .regex(/^[^\u0000-\u001f\u007f]+$/, "must not contain line breaks or control characters")
  .refine((text) => text.isWellFormed(), "must not contain half a character");

/** A schedule as a template has it: its groups by name, and a name of its own by which a host's schedule is known again. */
export const TemplateSchedule = ScheduleInput.omit({ source_group_ids: true }).extend({
  name: shortName,
  groups: z
    .array(z.string())
    .min(1, "choose at least one source group")
    .max(100)
    .refine((names) => new Set(names).size === names.length, "names a group twice"),
});
export type TemplateSchedule = z.infer<typeof TemplateSchedule>;

/** What hosts that follow a template have. */
export const TemplateContent = z
  .strictObject({
    groups: z.array(SourceGroupInput).min(1, "a host must know what to back up: add a source group").max(100),
    schedules: z.array(TemplateSchedule).max(100).default([]),
    /** When repositories are looked after; null leaves each host its own. */
    maintenance: RepoMaintenanceInput.nullable().default(null),
  })
  .check(({ value, issues }) => {
    const twice = (what: "groups" | "schedules") =>
      value[what].forEach(({ name }, at) => {
        if (value[what].findIndex((other) => other.name === name) === at) return;
        issues.push({
          code: "custom",
          path: [what, at, "name"],
          message: "another one has this name",
          input: name,
        });
      });
    twice("groups");
    twice("schedules");
    const known = new Set(value.groups.map(({ name }) => name));
    value.schedules.forEach(({ groups }, at) =>
      groups.forEach((name) => {
        if (known.has(name)) return;
        issues.push({
          code: "custom",
          path: ["schedules", at, "groups"],
          message: `${name.slice(0, 128)} is not a source group of this template`,
          input: name,
        });
      }),
    );
  });
export type TemplateContent = z.infer<typeof TemplateContent>;

/** `POST` and `PUT`: the whole template. A change of it reaches hosts when it is applied again, never by itself. */
export const TemplateInput = z.strictObject({ name: shortName, content: TemplateContent });
export type TemplateInput = z.infer<typeof TemplateInput>;
export const TemplateEdit = TemplateInput.extend({ version: EditedVersion });
export type TemplateEdit = z.infer<typeof TemplateEdit>;

export const Template = z.object({
  id: TemplateId,
  name: z.string(),
  content: TemplateContent,
  version: z.int().positive(),
  changed: Changed,
  /** Hosts that follow it, and those of them that differ from it now. */
  hosts: z.object({ following: z.int().nonnegative(), differing: z.int().nonnegative() }),
});
export type Template = z.infer<typeof Template>;
export const Templates = z.object({ items: z.array(Template) });
export type Templates = z.infer<typeof Templates>;

/** One field that would change, or that differs: what goes and what comes. Of a list only those entries, and at most 50 of each. */
export const FieldChange = z.object({
  /** As the API names it: `includes`, `retention_policy.daily`, `cron`. */
  field: z.string(),
  minus: z.array(z.string()),
  plus: z.array(z.string()),
  /** Entries that are not listed. */
  more: z.int().nonnegative(),
});
export type FieldChange = z.infer<typeof FieldChange>;

/** One thing of a host that applying a template adds, changes or removes. */
export const TemplateChange = z.object({
  what: z.enum(["group", "schedule", "maintenance"]),
  act: z.enum(["add", "change", "remove"]),
  /** The group's or the schedule's name; a schedule without one goes by its expression. */
  name: z.string(),
  fields: z.array(FieldChange),
});
export type TemplateChange = z.infer<typeof TemplateChange>;

/** What becomes of a host's groups and schedules that the template does not have. */
export const Others = z.enum(["keep", "remove"]);
export type Others = z.infer<typeof Others>;
const OtherThing = z.object({ what: z.enum(["group", "schedule"]), name: z.string() });

const target = {
  /** Either these hosts or those that have the tag. */
  host_ids: z.array(HostId).min(1).max(10_000).optional(),
  tag: HostTag.optional(),
  others: Others.default("keep"),
};
const oneTarget = ({ host_ids, tag }: { host_ids?: unknown; tag?: unknown }) =>
  (host_ids === undefined) !== (tag === undefined);
const ONE_TARGET = { error: "name either hosts or a tag", path: ["host_ids"] };

export const PreviewTemplate = z.strictObject(target).refine(oneTarget, ONE_TARGET);
export type PreviewTemplate = z.infer<typeof PreviewTemplate>;

/** What applying would do. Hosts for which it is the same stand together; the largest number of them first. */
export const TemplatePreview = z.object({
  template_version: z.int().positive(),
  items: z.array(
    z.object({
      hosts: z.array(
        z.object({
          id: HostId,
          name: z.string(),
          /** To be handed back with `apply`. */
          schedule_version: z.int().nonnegative(),
          /** Another template that it follows now and would leave. */
          leaves: z.string().nullable(),
        }),
      ),
      /** Empty: it has all of it already. */
      changes: z.array(TemplateChange),
      /** Not the template's, and kept. */
      others: z.array(OtherThing),
    }),
  ),
});
export type TemplatePreview = z.infer<typeof TemplatePreview>;

export const ApplyTemplate = z
  .strictObject({
    ...target,
    /** What the preview was of; another one by now refuses the whole. */
    template_version: z.int().positive().optional(),
    /** What the preview said of each host; one that changed since is refused. */
    schedule_versions: z.record(HostId, z.int().nonnegative()).optional(),
  })
  .refine(oneTarget, ONE_TARGET);
export type ApplyTemplate = z.infer<typeof ApplyTemplate>;

export const AppliedTemplate = z.object({
  items: z.array(
    z.discriminatedUnion("outcome", [
      /** `changes`: how many things became different; none when it had all of it already. */
      z.object({ outcome: z.literal("applied"), host_id: HostId, changes: z.int().nonnegative() }),
      z.object({ outcome: z.literal("refused"), host_id: HostId, problem: Problem }),
    ]),
  ),
});
export type AppliedTemplate = z.infer<typeof AppliedTemplate>;

/** How a host stands to the template it follows. */
export const Following = z.object({
  template: z.object({ id: TemplateId, name: z.string(), version: z.int().positive() }),
  /** The template's version that was applied. */
  version: z.int().positive(),
  applied: Changed,
  others: Others,
  /** What applying it again would do; empty: in sync. */
  changes: z.array(TemplateChange),
});
export type Following = z.infer<typeof Following>;
/** `GET /hosts/{id}/policy-template`; null when it follows none. */
export const HostFollowing = z.object({ following: Following.nullable() });
export type HostFollowing = z.infer<typeof HostFollowing>;

/** `GET /policy-templates/{id}/hosts`: who follows it; those that differ first. */
export const TemplateHosts = z.object({
  items: z.array(
    z.object({
      host: z.object({ id: HostId, name: z.string() }),
      version: z.int().positive(),
      applied_at: Instant,
      applied_by: z.string(),
      others: Others,
      changes: z.array(TemplateChange),
    }),
  ),
});
export type TemplateHosts = z.infer<typeof TemplateHosts>;
