import { expect, test } from "bun:test";
import { natsAddress } from "./nats-address.ts";

test.each([
  ["nats://10.0.0.1", { servers: ["10.0.0.1:4222"], tls: false }],
  ["nats://[::1]:5000", { servers: ["[::1]:5000"], tls: false }],
  ["tls://ada:p%40ss@nats.example", { servers: ["nats.example:4222"], tls: true, user: "ada", pass: "p@ss" }],
  ["nats://s3cret@a:1,nats://b:2", { servers: ["a:1", "b:2"], tls: false, token: "s3cret" }],
])("%s is an address", (url, expected) => {
  expect(natsAddress(url)).toEqual(expected);
});

test.each([
  "10.0.0.1:4222",
  "http://ada:hunter2@nats",
  "nats://ada:hunter2@nats/subject",
  "nats://ada:hunter2@a,tls://b",
  "nats://ada:hunter2@",
  "",
])("%p is refused, and the words hold nothing of it", (url) => {
  let words = "";
  try {
    natsAddress(url);
  } catch (error) {
    words = error instanceof Error ? error.message : "";
  }
  expect(words).not.toBe("");
  expect(words).not.toMatch(/ada|hunter2/);
});
