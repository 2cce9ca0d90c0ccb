/** An address without the account that was written into it, and the account. */
export interface SplitRepositoryUrl {
  url: string;
  username?: string;
  password?: string;
}

const REST = /^(rest:https?:\/\/)([^/]*)(.*)$/s;

/**
 * Takes user and password out of a rest-server address (`rest:https://user:password@host/path`): restic would prefer them
 * to the credential slot, and show them in its process list. Any other address comes back as it is; the user of an
 * `sftp:` address belongs to ssh.
 */
export function splitRepositoryUrl(url: string): SplitRepositoryUrl {
  const [, scheme, authority, rest] = REST.exec(url) ?? [];
  if (scheme === undefined || authority === undefined || rest === undefined) return { url };
  const at = authority.lastIndexOf("@");
  if (at < 0) return { url };
  const account = authority.slice(0, at);
  const colon = account.indexOf(":");
  const username = decoded(colon < 0 ? account : account.slice(0, colon));
  const password = colon < 0 ? "" : decoded(account.slice(colon + 1));
  return {
    url: `${scheme}${authority.slice(at + 1)}${rest}`,
    ...(username === "" ? {} : { username }),
    ...(password === "" ? {} : { password }),
  };
}

/** True for addresses that have accounts: those of a rest-server. */
export function takesAccount(url: string): boolean {
  return url.startsWith("rest:");
}

/**
 * The server a repository lies on (`rest:https://host:8000`, `sftp:user@host`), or null when it is a folder. Two addresses with
 * the same server may be given the same account.
 */
export function repositoryServer(url: string): string | null {
  const [, scheme, authority] = REST.exec(splitRepositoryUrl(url).url) ?? [];
  if (scheme !== undefined && authority !== undefined) return `${scheme}${authority.toLowerCase()}`;
  if (!url.startsWith("sftp:")) return null;
  const [, host] = /^sftp:(?:\/\/)?([^:/]+)/.exec(url) ?? [];
  return host === undefined ? url : `sftp:${host.toLowerCase()}`;
}

/** A `%` that encodes nothing is meant as it stands. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
