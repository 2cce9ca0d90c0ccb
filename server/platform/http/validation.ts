import type { z } from "zod";
import { ApiProblem } from "./problem.ts";

/** A request may be wrong in a thousand places; this many are enough to say so. */
const MOST_FIELDS = 50;

/** What a schema found wrong, by field path. Never repeats the value: it may be a password, or a megabyte. */
export function validationProblem(issues: readonly z.core.$ZodIssue[]): ApiProblem {
  const fields = new Map<string, string>();
  for (const issue of issues) collect(issue, [], fields);
  const [first] = fields;
  const message =
    first === undefined
      ? "the request is not as it should be"
      : `${first[0]}: ${first[1]}${fields.size > 1 ? `, and ${fields.size - 1} more` : ""}`;
  return new ApiProblem("validation_failed", message, { fields: Object.fromEntries(fields) });
}

function collect(issue: z.core.$ZodIssue, above: readonly PropertyKey[], fields: Map<string, string>): void {
  const path = [...above, ...issue.path];
  if (issue.code === "unrecognized_keys") {
    for (const key of issue.keys) note([...path, key], "is not known here", fields);
    return;
  }
  // Of a union's branches the one that got furthest says most.
  const closest =
    issue.code === "invalid_union" ? issue.errors.toSorted((a, b) => a.length - b.length)[0] : undefined;
  if (closest !== undefined && closest.length > 0) {
    for (const inner of closest) collect(inner, path, fields);
    return;
  }
  note(path, issue.message.endsWith("received undefined") ? "is required" : issue.message, fields);
}

function note(path: readonly PropertyKey[], message: string, fields: Map<string, string>): void {
  const name = path.length === 0 ? "body" : path.map(String).join(".").slice(0, 200);
  if (fields.size < MOST_FIELDS && !fields.has(name)) fields.set(name, message);
}
