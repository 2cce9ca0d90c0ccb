/** How to reach NATS: `host:port` of each server, and what proves who we are. */
export interface NatsAddress {
  servers: string[];
  tls: boolean;
  user?: string;
  pass?: string;
  token?: string;
}

/**
 * Reads `nats://host:4222`, `tls://user:password@host`, `nats://token@host`; several servers of one cluster with commas between
 * them, where the credentials of the first count for all.
 *
 * @throws Error whose sentence says nothing of what was in the address: it may hold a password.
 */
export function natsAddress(value: string): NatsAddress {
  const urls = value.split(",").map((part) => {
    try {
      return new URL(part.trim());
    } catch {
      throw new Error("must be nats://host:4222 or tls://host:4222; several with commas between them");
    }
  });
  const [first] = urls;
  const protocols = new Set(urls.map((url) => url.protocol));
  if (first === undefined || protocols.size !== 1 || !/^(nats|tls):$/.test(first.protocol))
    throw new Error("must begin with nats:// or tls://, the same for each server");
  if (urls.some((url) => url.hostname === "" || !["", "/"].includes(url.pathname) || url.search !== ""))
    throw new Error("must name a host, and nothing after its port");
  const user = decodeURIComponent(first.username);
  const pass = decodeURIComponent(first.password);
  return {
    servers: urls.map((url) => `${url.hostname}:${url.port || "4222"}`),
    tls: first.protocol === "tls:",
    ...(user === "" ? {} : pass === "" ? { token: user } : { user, pass }),
  };
}
