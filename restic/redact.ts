import { Secret } from "./secret.ts";
import type { RepositoryAccess } from "./environment.ts";

/** Replaces what must not be stored or shown. */
export type Redact = (text: string) => string;

const mark = "[secret]";
// user:pass@ inside any URL, whoever's it is: a proxy's, a copied repository's. restic's own `:***@` may stay.
// Bounded, so that no line a repository's server thinks up can keep the agent busy for hours.
const urlCredentials =
  /([a-z][a-z0-9+.-]{0,31}:\/\/)(?![^\s/:@]{0,256}:\*\*\*@)[^\s/?#"'@]{0,256}:[^\s/"']{0,1024}@/gi;

/**
 * Builds a function that replaces every form in which restic or an HTTP library may print the given secrets:
 * as they are, URL-encoded, inside a JSON string, and in base64 as part of basic authentication.
 */
export function redactor(secrets: readonly (Secret | string)[], usernames: readonly string[] = []): Redact {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const value = typeof secret === "string" ? secret : secret.reveal();
    if (value === "") continue;
    for (const form of formsOf(value, usernames)) forms.add(form);
  }
  // Longest first: a form that contains another must win.
  const parts = [...forms].sort((a, b) => b.length - a.length).map(escape);
  const pattern = parts.length === 0 ? undefined : new RegExp(parts.join("|"), "g");
  return (text) => {
    const withoutUrls = text.includes("://") ? text.replace(urlCredentials, `$1${mark}@`) : text;
    return pattern === undefined ? withoutUrls : withoutUrls.replace(pattern, mark);
  };
}

/** The redactor for everything that opens one repository. */
export function redactorFor(access: RepositoryAccess): Redact {
  const secrets = [access.repositoryPassword, ...(access.password === undefined ? [] : [access.password])];
  return redactor(secrets, access.username === undefined ? [] : [access.username]);
}

function formsOf(value: string, usernames: readonly string[]): string[] {
  const encoded = encodeURIComponent(value.toWellFormed());
  const json = JSON.stringify(value).slice(1, -1);
  return [
    value,
    encoded,
    // encodeURIComponent leaves !'()* alone; others do not.
    encoded.replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`),
    encoded.replaceAll("%20", "+"),
    json,
    // Go's encoder also escapes these three.
    json.replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026"),
    ...usernames.map((name) => Buffer.from(`${name}:${value}`).toString("base64")),
    Buffer.from(`:${value}`).toString("base64"),
  ];
}

function escape(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");
}
