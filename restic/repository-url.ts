import { Secret } from "./secret.ts";

export type RepositoryUrlRefusal =
  | "empty"
  | "control_character"
  | "leading_dash"
  | "credentials_in_url"
  | "bad_host"
  | "bad_url"
  | "relative_path"
  | "unsupported";

export type CheckedRepositoryUrl =
  | { state: "ok"; url: string; kind: "rest" | "sftp" | "local" }
  | { state: "refused"; reason: RepositoryUrlRefusal; message: string };

export type SplitRepositoryUrl = { url: string; username?: string; password?: Secret };

const rest = /^rest:(https?):\/\/(?:([^/?#]*)@)?([^/?#@]*)(.*)$/is;
// Userinfo in an sftp URL is a login name, not a secret; it stays.
const sftpUrl = /^sftp:\/\/(?:([^/]*)@)?([^/@]+)(\/.*)$/s;
const sftpScp = /^sftp:(?!\/\/)(?:([^/:]*)@)?([^/:@]+):(.+)$/s;
const windowsPath = /^[a-z]:[\\/]/i;
const hostName = /^(?:\[[0-9a-f:.]+\]|[a-z0-9_.-]+)(?::\d{1,5})?$/i;

/**
 * Decides whether restic may be given this repository. Accepts `rest:http(s)://…`, `sftp:…` and absolute
 * paths; refuses what restic or ssh could read as an option, what carries credentials (they belong into the
 * environment, see `splitRepositoryUrl`), and every other backend.
 */
export function checkRepositoryUrl(url: string): CheckedRepositoryUrl {
  if (url === "") return refused("empty", "the repository has no address");
  // oxlint-disable-next-line no-control-regex -- control characters are what is refused
  if (/[\u0000-\u001f\u007f]/.test(url)) {
    return refused(
      "control_character",
      "the repository's address contains a line break or control character",
    );
  }
  if (url.startsWith("-")) return refused("leading_dash", "the repository's address begins with a dash");
  if (/^rest:/i.test(url)) return checkRest(url);
  if (/^sftp:/i.test(url)) return checkSftp(url);
  if (url.startsWith("/") || windowsPath.test(url)) return { state: "ok", url, kind: "local" };
  if (/^[a-z][a-z0-9+.-]*:/i.test(url)) {
    return refused(
      "unsupported",
      "only rest:https://…, rest:http://…, sftp:… and absolute paths are supported",
    );
  }
  return refused("relative_path", "a local repository needs an absolute path");
}

/**
 * Takes user and password out of a `rest:` URL, because a URL shows up in lists and logs while a slot does
 * not. Anything else comes back unchanged.
 */
export function splitRepositoryUrl(url: string): SplitRepositoryUrl {
  const [, scheme, userInfo, host, path] = rest.exec(url) ?? [];
  if (scheme === undefined || userInfo === undefined) return { url };
  const colon = userInfo.indexOf(":");
  const username = decode(colon === -1 ? userInfo : userInfo.slice(0, colon));
  const password = colon === -1 ? "" : decode(userInfo.slice(colon + 1));
  return {
    url: `rest:${scheme}://${host ?? ""}${path ?? ""}`,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password: new Secret(password) }),
  };
}

/** The address as people should read it in a message: host and port, or the path; never credentials. */
export function repositoryAddress(url: string): string {
  const host = rest.exec(url)?.[3] ?? sftpUrl.exec(url)?.[2] ?? sftpScp.exec(url)?.[2];
  return host ?? url;
}

function checkRest(url: string): CheckedRepositoryUrl {
  const [, , userInfo, host, path] = rest.exec(url) ?? [];
  if (host === undefined || path === undefined) {
    return refused("bad_url", "a rest repository is written rest:https://host:port/path/");
  }
  if (userInfo !== undefined) {
    return refused(
      "credentials_in_url",
      "user and password belong into their own fields, not into the address",
    );
  }
  if (!hostName.test(host) || host.startsWith("-"))
    return refused("bad_host", "the address has no valid host name");
  if (/[?#@\s]/.test(path) || !URL.canParse(url.slice("rest:".length))) {
    return refused("bad_url", "the address's path contains characters that a repository cannot have");
  }
  return { state: "ok", url, kind: "rest" };
}

function checkSftp(url: string): CheckedRepositoryUrl {
  const [, user, host] = sftpUrl.exec(url) ?? sftpScp.exec(url) ?? [];
  if (host === undefined) return refused("bad_url", "an sftp repository is written sftp:user@host:/path");
  if (host.startsWith("-") || !hostName.test(host))
    return refused("bad_host", "the address has no valid host name");
  if (user !== undefined && user.includes(":")) {
    return refused("credentials_in_url", "sftp takes no password in its address; use a key");
  }
  if (user !== undefined && !/^[\w.@\\][\w.@\\-]*$/.test(user)) {
    return refused("bad_host", "the address has no valid user name");
  }
  return { state: "ok", url, kind: "sftp" };
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function refused(reason: RepositoryUrlRefusal, message: string): CheckedRepositoryUrl {
  return { state: "refused", reason, message };
}
