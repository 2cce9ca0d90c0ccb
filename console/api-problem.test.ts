import { expect, test } from "bun:test";
import { asProblem, problemOf } from "./api-problem.ts";

test("the server's own words reach the page, with the fields they are about", () => {
  const problem = problemOf(422, {
    code: "validation_failed",
    message: "Two fields need another look.",
    fields: { host_name: "enter the machine's name", odd: 7 },
  });
  expect(problem).toMatchObject({
    code: "validation_failed",
    status: 422,
    message: "Two fields need another look.",
  });
  expect(problem.fields).toEqual({ host_name: "enter the machine's name" });
});

test("the folders that an offline host leaves reach the page", () => {
  const body = { code: "host_offline", message: "db is not connected", folders: ["/", 7, "/etc"] };
  expect(problemOf(503, body).folders).toEqual(["/", "/etc"]);
  expect(problemOf(503, { ...body, folders: "no list" }).folders).toEqual([]);
});

test("a proxy's error page becomes a sentence and not a crash", () => {
  for (const body of [null, "<html>", 7, {}, { code: 1, message: 2 }]) {
    expect(problemOf(502, body).message).toContain("HTTP 502");
  }
});

test("anything thrown can be shown", () => {
  expect(asProblem(new TypeError("Failed to fetch")).message).toBe("Failed to fetch");
  expect(asProblem("odd").message).toBe("odd");
});
