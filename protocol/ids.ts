import { z } from "zod";

/** 26 characters of Crockford's alphabet, upper case, first one at most 7: what `ulid` mints. */
const ulid = z.string().regex(/^[0-7][0-9A-HJKMNP-TV-Z]{25}$/, "must be a ULID: 26 characters, upper case");

/** A machine with an agent. */
export const HostId = ulid.brand<"HostId">();
export type HostId = z.infer<typeof HostId>;

/** One run of one kind; minted by whoever creates the job and never used again. */
export const JobId = ulid.brand<"JobId">();
export type JobId = z.infer<typeof JobId>;

/** A named set of includes, excludes and retention on one host. */
export const SourceGroupId = ulid.brand<"SourceGroupId">();
export type SourceGroupId = z.infer<typeof SourceGroupId>;

/** When which source groups of one host are backed up. */
export const ScheduleId = ulid.brand<"ScheduleId">();
export type ScheduleId = z.infer<typeof ScheduleId>;

/** Source groups, schedules and maintenance kept as one named thing. */
export const TemplateId = ulid.brand<"TemplateId">();
export type TemplateId = z.infer<typeof TemplateId>;

/** A person who signs in. */
export const UserId = ulid.brand<"UserId">();
export type UserId = z.infer<typeof UserId>;

/** An enrolment token's public half; it may be shown and logged. */
export const EnrollmentId = ulid.brand<"EnrollmentId">();
export type EnrollmentId = z.infer<typeof EnrollmentId>;

/** One life of an agent's outbox. A lost, restored or rewound `agent.db` gets a new one. */
export const Epoch = z
  .string()
  .regex(/^[0-9a-f]{32}$/, "must be 32 hexadecimal digits")
  .brand<"Epoch">();
export type Epoch = z.infer<typeof Epoch>;

/** A restic snapshot or repository id: 64 hexadecimal digits. */
export const ResticId = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be 64 hexadecimal digits")
  .brand<"ResticId">();
export type ResticId = z.infer<typeof ResticId>;

/** An instant on the wire and in the API: ISO 8601 in UTC. */
export const Instant = z.iso.datetime({ offset: true });
