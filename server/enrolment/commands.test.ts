import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EnrollmentId } from "@restic-manager/protocol/ids";
import { enrollCommands } from "./commands.ts";
import { readToken, writeToken } from "./token.ts";

const token = { id: EnrollmentId.parse("01JD00000000000000000000AB"), secret: "se-cret_1" };

/** Runs a command with stand-ins for what it calls; each notes its arguments. `curl` answers with a script. */
async function run(command: string, programs: string[]) {
  const folder = mkdtempSync(join(tmpdir(), "rm-command-"));
  const stands: Record<string, string> = {
    curl: `cat <<'SCRIPT'\necho "$RM_SERVER $RM_TOKEN"\nSCRIPT`,
    sudo: `exec "$@"`,
    "restic-manager-agent": `echo "$RM_SERVER $RM_TOKEN"`,
  };
  for (const name of programs) {
    const path = join(folder, name);
    writeFileSync(path, `#!/bin/sh\necho "${name} $*" >>"${folder}/arguments"\n${stands[name]}\n`);
    chmodSync(path, 0o755);
  }
  for (const name of ["sh", "cat"]) Bun.spawnSync(["ln", "-s", Bun.which(name) ?? name, join(folder, name)]);
  try {
    const shell = Bun.spawnSync(["/bin/sh", "-c", command], { env: { PATH: folder } });
    return {
      out: shell.stdout.toString().trim(),
      err: shell.stderr.toString(),
      asked: readFileSync(join(folder, "arguments"), "utf8"),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test.each(["https://backup.example.org", 'https://it\'s "odd" $HOME.example'])(
  "both commands bring %s and the token into the shell, and into no argument",
  async (baseUrl) => {
    const commands = enrollCommands(baseUrl, token);
    for (const [command, program] of [
      [commands.install_command, "curl"],
      [commands.enroll_command, "restic-manager-agent"],
    ] as const)
      for (const programs of [[program], [program, "sudo"]]) {
        const { out, err, asked } = await run(command, programs);
        expect([out, err]).toEqual([`${baseUrl} ${writeToken(token)}`, ""]);
        expect(asked).not.toContain(token.secret);
        expect(asked.includes("sudo sh")).toBe(programs.includes("sudo"));
        expect(asked).toContain(
          program === "curl" ? `${baseUrl}/install/install.sh?for=${token.id}` : `enroll --server ${baseUrl}`,
        );
      }
  },
);

test("the command reads well at an ordinary address", () => {
  expect(enrollCommands("https://backup.example.org", token).install_command).toBe(
    "(printf '%s\\n' 'export RM_SERVER=https://backup.example.org RM_TOKEN=01JD00000000000000000000AB.se-cret_1'; " +
      "curl -fsSL 'https://backup.example.org/install/install.sh?for=01JD00000000000000000000AB') | $(command -v sudo) sh",
  );
});

test("a token is read as it was written, and nothing else is a token", () => {
  expect(readToken(writeToken(token))).toEqual(token);
  for (const none of [
    "",
    ".",
    "a.b",
    `${token.id}`,
    `${token.id}.`,
    `${token.id}.a b`,
    `${token.id}.a.b`,
    "x".repeat(256),
  ])
    expect(readToken(none)).toBeUndefined();
});
