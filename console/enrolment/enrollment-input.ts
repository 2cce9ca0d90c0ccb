import type { EnrollmentTokenInput } from "@restic-manager/protocol/api/enrolment";

/** What is written in the form. */
export interface Written {
  hostName: string;
  /** One folder per line. */
  includes: string;
  repositoryUrl: string;
  username: string;
  password: string;
  repositoryPassword: string;
}

export const NOTHING_WRITTEN: Written = {
  hostName: "",
  includes: "",
  repositoryUrl: "",
  username: "",
  password: "",
  repositoryPassword: "",
};

/** The request; what is left empty is left out, so that the server makes it. `own`: passwords are taken from the form. */
export function inputOf(written: Written, own: boolean): EnrollmentTokenInput {
  const { username, password, repositoryPassword } = written;
  const includes = linesOf(written.includes);
  return {
    host_name: written.hostName.trim(),
    repository_url: written.repositoryUrl.trim(),
    ...(username.trim() === "" ? {} : { username: username.trim() }),
    ...(own && password !== "" ? { password } : {}),
    ...(own && repositoryPassword !== "" ? { repository_password: repositoryPassword } : {}),
    ...(includes.length === 0 ? {} : { includes }),
  };
}

function linesOf(text: string): string[] {
  return text.split(/\r?\n/).filter((line) => line.trim() !== "");
}

const FIELD_OF: Readonly<Record<string, keyof Written>> = {
  host_name: "hostName",
  repository_url: "repositoryUrl",
  username: "username",
  password: "password",
  repository_password: "repositoryPassword",
  includes: "includes",
};

/** What is wrong, by the form's fields. A folder is named by its line: `includes.2` is the third. */
export function fieldErrors(
  fields: Readonly<Record<string, string>>,
): Partial<Record<keyof Written, string>> {
  const errors: Partial<Record<keyof Written, string>> = {};
  for (const [path, message] of Object.entries(fields)) {
    const [name = "", index] = path.split(".");
    const field = FIELD_OF[name];
    if (field === undefined || errors[field] !== undefined) continue;
    errors[field] = index === undefined ? capital(message) : `Folder ${Number(index) + 1} ${message}`;
  }
  return errors;
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1);
}
