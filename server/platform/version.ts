declare const RM_VERSION: string | undefined;

/** The release's version; a build defines `RM_VERSION`, a run from source has none. */
export function serverVersion(): string {
  return typeof RM_VERSION === "string" ? RM_VERSION : "0.0.0-dev";
}
