import { expect, test } from "bun:test";
import { clientFacts, trustedProxies } from "./client-address.ts";

const request = (headers: Record<string, string> = {}) =>
  new Request("http://rm.internal:8080/", { headers });
const trusted = trustedProxies("127.0.0.1, 10.0.0.0/8 fd00::/8");

test("without a trusted proxy the socket's other end is the client, whatever headers say", () => {
  const headers = { "x-forwarded-for": "1.2.3.4", "x-forwarded-proto": "https", "x-forwarded-host": "evil" };
  expect(clientFacts(request(headers), "203.0.113.9", trusted)).toEqual({
    address: "203.0.113.9",
    host: "rm.internal:8080",
    secure: false,
  });
  expect(clientFacts(request(headers), "127.0.0.1", trustedProxies("")).address).toBe("127.0.0.1");
});

test("behind trusted proxies it is the last address none of them has", () => {
  const headers = {
    "x-forwarded-for": "6.6.6.6, 203.0.113.9, 10.1.2.3",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "backup.example.org",
  };
  expect(clientFacts(request(headers), "::ffff:127.0.0.1", trusted)).toEqual({
    address: "203.0.113.9",
    host: "backup.example.org",
    secure: true,
  });
});

test("an address that is none ends the search at the last good one", () => {
  const facts = clientFacts(
    request({ "x-forwarded-for": "6.6.6.6, <script>, 10.1.2.3" }),
    "127.0.0.1",
    trusted,
  );
  expect(facts.address).toBe("10.1.2.3");
});

test("works for IPv6", () => {
  const facts = clientFacts(request({ "x-forwarded-for": "2001:db8::7" }), "fd00::1", trusted);
  expect(facts.address).toBe("2001:db8::7");
});

test("there is no address without a socket", () => {
  expect(clientFacts(request({ "x-forwarded-for": "1.2.3.4" }), null, trusted).address).toBeNull();
});

test.each(["localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0/8", "::1/129", "127.0.0.1:80"])(
  "%s is no proxy",
  (entry) => {
    expect(() => trustedProxies(`127.0.0.1, ${entry}`)).toThrow(entry);
  },
);
