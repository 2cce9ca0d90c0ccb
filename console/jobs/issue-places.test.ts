import { expect, test } from "bun:test";
import { issuePlaces } from "./issue-places.ts";

const denied = (path: string) => ({ path, message: `open ${path}: permission denied` });

test("files that one folder kept back for one reason are one place, the most first", () => {
  expect(
    issuePlaces([
      {
        path: "/var/log/nginx/access.log",
        message: "read /var/log/nginx/access.log: file changed while reading",
      },
      denied("/var/lib/php/sessions/sess_1"),
      denied("/var/lib/php/sessions/sess_2"),
    ]),
  ).toEqual([
    { where: "/var/lib/php/sessions/", why: "Permission denied", files: 2 },
    { where: "/var/log/nginx/access.log", why: "File changed while reading", files: 1 },
  ]);
});

test("two reasons in one folder are two places", () => {
  const places = issuePlaces([denied("/a/b"), { path: "/a/c", message: "lstat /a/c: input/output error" }]);
  expect(places.map((place) => place.why)).toEqual(["Permission denied", "Input/output error"]);
});

test("a path of Windows has a folder too", () => {
  const [place] = issuePlaces([denied("C:\\Data\\a.txt"), denied("C:\\Data\\b.txt")]);
  expect(place).toEqual({ where: "C:\\Data\\", why: "Permission denied", files: 2 });
});

test("a message that says nothing of the path stays as it is", () => {
  expect(issuePlaces([{ path: "", message: "could not be read" }])).toEqual([
    { where: "", why: "Could not be read", files: 1 },
  ]);
});

test("a folder that could not be opened is in its parent", () => {
  expect(issuePlaces([denied("/root/secret/"), denied("/root/other")])[0]?.where).toBe("/root/");
});
