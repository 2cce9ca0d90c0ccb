import { describe, expect, test } from "bun:test";
import { EnrollmentTokenInput } from "@restic-manager/protocol/api/enrolment";
import { fieldErrors, inputOf, NOTHING_WRITTEN } from "./enrollment-input.ts";

const written = { ...NOTHING_WRITTEN, hostName: " db-ams-04 ", repositoryUrl: "rest:https://vault/db/" };

describe("the form for a new host", () => {
  test("leaves out what is empty, so that the server makes passwords and takes its own list of folders", () => {
    const input = inputOf({ ...written, includes: " \n" }, true);
    expect(input).toEqual({ host_name: "db-ams-04", repository_url: "rest:https://vault/db/" });
    expect(EnrollmentTokenInput.safeParse(input).success).toBe(true);
  });

  test("sends passwords only when somebody chose to enter them", () => {
    const typed = { ...written, username: "db", password: "one", repositoryPassword: "two" };
    expect(inputOf(typed, false)).not.toHaveProperty("password");
    expect(inputOf(typed, true)).toMatchObject({ password: "one", repository_password: "two" });
  });

  test("reads one folder per line and keeps spaces that belong to a name", () => {
    expect(inputOf({ ...written, includes: "/etc\r\n\n/srv/my files\n" }, false).includes).toEqual([
      "/etc",
      "/srv/my files",
    ]);
  });

  test("says at the field what the server found there, and which folder it is about", () => {
    expect(
      fieldErrors({
        host_name: "another host has this name",
        "includes.1": "must be an absolute path",
        body: "x",
      }),
    ).toEqual({ hostName: "Another host has this name", includes: "Folder 2 must be an absolute path" });
  });
});
