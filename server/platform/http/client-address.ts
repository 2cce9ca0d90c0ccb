import { BlockList, isIP } from "node:net";

/** Proxies whose word about the client counts (`RM_TRUSTED_PROXY`). */
export interface TrustedProxies {
  trusts(address: string): boolean;
}

/**
 * Reads a list of addresses and networks (`127.0.0.1, 10.0.0.0/8, fd00::/8`).
 *
 * @throws Error naming the entry that is neither.
 */
export function trustedProxies(list: string): TrustedProxies {
  const blocks = new BlockList();
  for (const entry of list.split(/[\s,]+/).filter((part) => part !== "")) {
    const [address = "", prefix] = entry.split("/");
    const family = familyOf(address);
    const bits =
      prefix === undefined ? (family === "ipv6" ? 128 : 32) : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
    if (family === null || bits < 0 || bits > (family === "ipv6" ? 128 : 32))
      throw new Error(`${entry} is neither an address nor a network such as 10.0.0.0/8`);
    blocks.addSubnet(address, bits, family);
  }
  return {
    trusts(address) {
      const family = familyOf(address);
      return family !== null && blocks.check(address, family);
    },
  };
}

/** Who is at the other end, seen through trusted proxies. */
export interface ClientFacts {
  address: string | null;
  /** The host the client asked for, with its port if it said one. */
  host: string | null;
  /** True when the client spoke TLS, to us or to a trusted proxy. */
  secure: boolean;
}

/**
 * Headers count only when the socket's other end is a trusted proxy. The client is the last address of `X-Forwarded-For` that
 * is not itself a trusted proxy: what stands before it, anybody may have written.
 */
export function clientFacts(request: Request, peer: string | null, proxies: TrustedProxies): ClientFacts {
  const url = new URL(request.url);
  const direct = { host: request.headers.get("host") ?? url.host, secure: url.protocol === "https:" };
  const socket = peer === null ? null : plainAddress(peer);
  if (socket === null || !proxies.trusts(socket)) return { address: socket, ...direct };
  const hops = (request.headers.get("x-forwarded-for") ?? "")
    .split(",")
    .map((hop) => plainAddress(hop.trim()))
    .toReversed();
  let address = socket;
  for (const hop of hops) {
    if (isIP(hop) === 0) break;
    address = hop;
    if (!proxies.trusts(hop)) break;
  }
  const proto = request.headers.get("x-forwarded-proto");
  return {
    address,
    host: request.headers.get("x-forwarded-host") ?? direct.host,
    secure: proto === null ? direct.secure : proto.trim().toLowerCase() === "https",
  };
}

/** `::ffff:10.0.0.1` is the IPv4 address in it. */
function plainAddress(address: string): string {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  return mapped?.[1] ?? address;
}

function familyOf(address: string): "ipv4" | "ipv6" | null {
  const version = isIP(address);
  return version === 4 ? "ipv4" : version === 6 ? "ipv6" : null;
}
