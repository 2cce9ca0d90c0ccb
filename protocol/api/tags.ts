import { z } from "zod";

/** A word by which hosts are taken together: `web`, `berlin`, `tier:1`. */
export const HostTag = z
  .string()
  .trim()
  .toLowerCase()
  .min(1, "enter a tag")
  .max(64, "at most 64 characters")
  .regex(
    /^[\p{Letter}\p{Number}][\p{Letter}\p{Number}._:/-]*$/u,
    "letters, digits and . _ : / - only, no spaces",
  );
export type HostTag = z.infer<typeof HostTag>;

/** All tags of a host, replaced whole. */
export const HostTags = z
  .array(HostTag)
  .max(32, "at most 32 tags")
  .transform((tags) => [...new Set(tags)].toSorted());
export type HostTags = z.infer<typeof HostTags>;

/** `GET /tags`: every tag in use and how many hosts have it. */
export const Tags = z.object({ items: z.array(z.object({ tag: z.string(), hosts: z.int().positive() })) });
export type Tags = z.infer<typeof Tags>;
