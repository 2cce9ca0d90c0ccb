import { expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { house } from "./files.ts";

/** Runs a line of bash with the functions of set-up at hand, installing into a folder of its own. */
async function bash(line: string) {
  const folder = mkdtempSync(join(tmpdir(), "rm-setup-"));
  const all = `set -euo pipefail; source script/env.bash; for part in script/setup.d/*.bash; do source $part; done
    tools=${folder}; ${line}`;
  const shell = Bun.spawn(["bash", "-c", all], { cwd: house, stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([
    new Response(shell.stdout).text(),
    new Response(shell.stderr).text(),
    shell.exited,
  ]);
  const left = readdirSync(folder, { recursive: true }).map(String).toSorted();
  rmSync(folder, { recursive: true });
  return { out: out.trim(), err: err.trim(), code, left };
}

test("set-up says nothing when nothing is missing", async () => {
  await Bun.spawn(["script/setup"], { cwd: house, stdout: "ignore", stderr: "ignore" }).exited;
  const setup = Bun.spawn(["script/setup"], { cwd: house, stdout: "pipe", stderr: "pipe" });
  expect(await new Response(setup.stdout).text()).toBe("");
  expect(await new Response(setup.stderr).text()).toBe("");
  expect(await setup.exited).toBe(0);
});

test.each([
  ["0.18.0", true],
  ["0.18.1", true],
  ["0.100.0", true],
  ["1.0.0", true],
  ["0.17.3", false],
  ["0.9.6", false],
  ["", false],
])("restic %p is new enough: %p", async (version, expected) => {
  expect((await bash(`newer_or_same "${version}" 0.18.0 && echo yes || echo no`)).out).toBe(
    expected ? "yes" : "no",
  );
});

test("a program that is too old or does not run is passed over", async () => {
  const { out } = await bash(`
    printf '#!/bin/sh\\necho restic 0.14.0\\n' >$tools/old; printf '#!/bin/sh\\nexit 1\\n' >$tools/broken
    printf '#!/bin/sh\\necho restic 0.18.1\\n' >$tools/new; chmod +x $tools/*
    first_good 0.18.0 version $tools/none $tools/old $tools/broken $tools/new`);
  expect(out).toEndWith("/new");
});

test.each(["restic", "rest-server"])(
  "a release of %s with other bytes than the pinned ones is refused",
  async (name) => {
    const { err, code, left } = await bash(`
    uname() { echo x86_64; }
    curl() { while [ "$1" != -o ]; do shift; done; echo tampered >"$2"; }
    from_release ${name}`);
    expect(code).toBe(1);
    expect(err).toContain("has another checksum than the pinned one: refused");
    expect(left.filter((file) => file.startsWith("restic"))).toEqual([]);
  },
);

test("a Debian package whose signature cannot be checked is refused", async () => {
  const { out, left } = await bash(`
    debian_archives() { echo "file://$tools/mirror/"; }
    mkdir -p $tools/mirror/dists/trixie; echo "Origin: Debian" >$tools/mirror/dists/trixie/InRelease
    mkdir $tools/work; download_from_trixie $tools/work /usr/share/keyrings/debian-archive-keyring.gpg restic && echo taken || echo refused`);
  expect(out).toBe("refused");
  expect(left.filter((file) => file.endsWith(".deb"))).toEqual([]);
});
