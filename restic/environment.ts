import type { Secret } from "./secret.ts";

/** What opens a repository. `url` carries no credentials (see `splitRepositoryUrl`). */
export type RepositoryAccess = {
  url: string;
  /** User and password of a rest-server. */
  username?: string;
  password?: Secret;
  repositoryPassword: Secret;
};

/**
 * The only variables of the caller's own environment that restic may see: proxies, trust anchors, the ssh
 * agent, and what Windows programs cannot start without.
 */
export const passthroughNames = [
  "HTTP_PROXY",
  "HTTPS_PROXY",
  "NO_PROXY",
  "ALL_PROXY",
  "http_proxy",
  "https_proxy",
  "no_proxy",
  "all_proxy",
  "SSL_CERT_FILE",
  "SSL_CERT_DIR",
  "SSH_AUTH_SOCK",
  "SYSTEMROOT",
  "WINDIR",
  "TEMP",
  "TMP",
  "USERPROFILE",
  "LOCALAPPDATA",
] as const;

export type Passthrough = { [Name in (typeof passthroughNames)[number]]?: string };

export type EnvironmentInput = {
  /** Left out for commands that open no repository (`version`). */
  access?: RepositoryAccess;
  /** restic's cache, and the home folder where none is given. */
  cacheDir: string;
  tmpDir: string;
  home?: string;
  passthrough?: Passthrough;
};

// sftp repositories need ssh; nothing else of PATH is of use to restic.
const unixPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** Takes the variables that may pass from a whole environment, and nothing else. */
export function pickPassthrough(environment: Record<string, string | undefined>): Passthrough {
  const picked: Passthrough = {};
  for (const name of passthroughNames) {
    const value = environment[name];
    if (value !== undefined && value !== "") picked[name] = value;
  }
  return picked;
}

/**
 * The exact environment restic runs with. Built from nothing, so that no RESTIC_*, AWS_* or LD_* variable of
 * the caller can change what restic does or where the data goes.
 */
export function resticEnvironment(input: EnvironmentInput): Record<string, string> {
  const passthrough = pickPassthrough(input.passthrough ?? {});
  const systemRoot = passthrough.SYSTEMROOT ?? passthrough.WINDIR;
  const environment: Record<string, string> = {
    ...passthrough,
    PATH: systemRoot === undefined ? unixPath : `${systemRoot}\\System32;${systemRoot}\\System32\\OpenSSH`,
    HOME: input.home ?? input.cacheDir,
    TMPDIR: input.tmpDir,
    RESTIC_CACHE_DIR: input.cacheDir,
    // One progress line a second is what the console shows; 0.18 would send sixty.
    RESTIC_PROGRESS_FPS: "1",
  };
  const { access } = input;
  if (access !== undefined) {
    environment["RESTIC_REPOSITORY"] = access.url;
    environment["RESTIC_PASSWORD"] = access.repositoryPassword.reveal();
    if (access.username !== undefined) environment["RESTIC_REST_USERNAME"] = access.username;
    if (access.password !== undefined) environment["RESTIC_REST_PASSWORD"] = access.password.reveal();
  }
  return environment;
}
