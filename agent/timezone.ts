import { readFileSync, readlinkSync } from "node:fs";

/**
 * The name of the zone that this machine's clock shows. Where the system says it in a file, the runtime's calendars are not asked: an agent
 * that has no schedules never needs them, and they take 2 MB.
 */
export function machineTimezone(
  env: Record<string, string | undefined>,
  files = { link: "/etc/localtime", name: "/etc/timezone" },
): string {
  return named(env["TZ"]) ?? linked(files.link) ?? written(files.name) ?? asked();
}

function linked(path: string): string | undefined {
  try {
    return named(readlinkSync(path).split("/zoneinfo/")[1]);
  } catch {
    return undefined;
  }
}

function written(path: string): string | undefined {
  try {
    return named(readFileSync(path, "utf8").trim());
  } catch {
    return undefined;
  }
}

/** TZ may also hold a rule (`CET-1CEST`) or a file's path, which are no names. */
function named(text: string | undefined): string | undefined {
  return text !== undefined && /^[A-Z][A-Za-z_]+(\/[A-Za-z0-9_+-]+){1,2}$|^UTC$/.test(text)
    ? text
    : undefined;
}

function asked(): string {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}
