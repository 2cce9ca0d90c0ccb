import { describe, expect, test } from "bun:test";
import { classifyExit, type ResticError } from "./error.ts";
import { redactor } from "./redact.ts";
import { evidenceOf, exitFacts, isRecorded, recorded, recordedVersions } from "./testing/recorded.ts";
import type { ExitFacts } from "./run.ts";

const context = { address: "backup.example:8000", redact: redactor([]) };

function classify(lines: readonly string[], facts: ExitFacts): ResticError | undefined {
  return classifyExit(facts, evidenceOf(lines), context);
}

describe.each(recordedVersions)("restic %s", (version) => {
  const cases: [string, ResticError["code"] | undefined][] = [
    ["backup_first_json", undefined],
    ["net_server_restart", undefined],
    ["repo_missing_catconfig", "repository_missing"],
    ["net_norepo", "repository_missing"],
    ["be_sftp_missing", "repository_missing"],
    ["excl_backup_json", "repository_locked"],
    ["excl_catconfig", "repository_locked"],
    ["lock_prune_text", "repository_locked"],
    ["badlock_backup_json", "repository_locked"],
    ["wrong_password_snapshots", "wrong_password"],
    ["corrupt_nokeys_snapshots_json", "wrong_password"],
    ["backup_unreadable", "incomplete"],
    ["corrupt_badconfig_snapshots_json", "repository_damaged"],
    ["corrupt_nopack_prune_text", "repository_damaged"],
    ["net_auth401", "unauthorized"],
    ["net_http403", "unauthorized"],
    ["ao_prune_json", "append_only"],
    ["diff_missing_json", "snapshot_missing"],
    ["restore_nosnap_json", "snapshot_missing"],
    ["restore_subfolder_missing_json", "path_missing"],
    ["dump_missing", "path_missing"],
    ["stale_check_json", "repository_locked"],
    ["sigTERM_check_json", "interrupted"],
    ["corrupt_nokeys_check_json", "wrong_password"],
    ["rest_wrong_user_init", "unauthorized"],
    ["net_dns", "repository_unreachable"],
    ["net_hang", "repository_unreachable"],
    ["net_http500", "repository_unreachable"],
    ["net_refused", "repository_unreachable"],
    ["net_tls", "repository_unreachable"],
    ["net_sftprefused", "repository_unreachable"],
    ["rest_quota_backup_json", "repository_full"],
    ["backup_nothing_exists", "source_missing"],
    ["sigTERM_backup_json", "interrupted"],
    ["sigINT_backup_json", "interrupted"],
    ["backup_bad_flag", "failed"],
    ["backup_noargs", "failed"],
    ["empty_password", "failed"],
    ["init_json_exists", "failed"],
  ];
  test.each(cases.filter(([name]) => isRecorded(version, name)))("%s is %s", (name, code) => {
    const { stderr, code: exit } = recorded(version, name);
    const error = classify(stderr, exitFacts(exit));
    expect(error?.code).toBe(code as "failed");
    expect(error?.message ?? "").not.toMatch(/\n|\t|Fatal|main\.init/);
  });

  test("a lock's holder is read from the text", () => {
    for (const name of ["excl_backup_json", "excl_catconfig"]) {
      const { stderr, code } = recorded(version, name);
      expect(classify(stderr, exitFacts(code))).toMatchObject({
        invalidLock: false,
        holder: { exclusive: true, hostname: "client1", username: "root", pid: expect.any(Number) },
      });
    }
    const { stderr, code } = recorded(version, "badlock_backup_json");
    expect(classify(stderr, exitFacts(code))).toMatchObject({ invalidLock: true });
  });

  test("an unreachable repository is named, with restic's own last cause", () => {
    const causes: Record<string, string> = {
      net_dns: "dial tcp: lookup nohost.invalid on 192.0.2.53:53: no such host",
      net_refused: "dial tcp 127.0.0.1:9: connect: connection refused",
      net_tls: "tls: failed to verify certificate: x509: certificate signed by unknown authority",
      net_hang: "request timeout",
    };
    for (const [name, cause] of Object.entries(causes)) {
      const { stderr, code } = recorded(version, name);
      expect(classify(stderr, exitFacts(code))).toMatchObject({
        address: "backup.example:8000",
        cause,
        timedOut: false,
      });
    }
  });

  test("at our deadline the last retry is the cause", () => {
    const { stderr } = recorded(version, "net_refused");
    const error = classify(stderr.slice(0, 2), exitFacts(1, { timedOut: true }));
    expect(error).toEqual({
      code: "repository_unreachable",
      message:
        "the repository at backup.example:8000 cannot be reached: dial tcp 127.0.0.1:9: connect: connection refused",
      address: "backup.example:8000",
      cause: "dial tcp 127.0.0.1:9: connect: connection refused",
      timedOut: true,
    });
  });

  test("what we cancelled is interrupted, whatever restic answered", () => {
    for (const name of ["sigTERM_backup_json", "sigTERM_backup_serverhung_json", "backup_first_json"]) {
      const { stderr, code } = recorded(version, name);
      expect(classify(stderr, exitFacts(code, { interruptedByUs: true }))).toMatchObject({
        code: "interrupted",
        byUs: true,
      });
    }
  });

  test("the missing sources are listed", () => {
    const { stderr, code } = recorded(version, "backup_nothing_exists");
    expect(classify(stderr, exitFacts(code))).toMatchObject({
      paths: ["/srv/nope"],
      message: "none of the sources exists: /srv/nope",
    });
  });

  test("a Go stack trace is no message", () => {
    const { stderr } = recorded(version, "ao_forget_id_json");
    expect(classify(stderr, exitFacts(1))?.message).not.toMatch(/runtime|\n/);
    const index = recorded(version, "corrupt_noindex_prune");
    expect(classify(index.stderr, exitFacts(1))?.message).not.toMatch(/runtime|github|\n/);
  });
});

test("a deadline without a word from restic still names the address and the time", () => {
  const facts = exitFacts(1, { timedOut: true, killed: true });
  expect(classifyExit(facts, evidenceOf([]), { ...context, deadlineMs: 10_000 })).toMatchObject({
    code: "repository_unreachable",
    message: "the repository at backup.example:8000 cannot be reached: no answer within 10 s",
  });
});

test("a full server that 0.18.0 keeps asking is full, not unreachable", () => {
  const line =
    "Save(<data/5f2ebe6b74>) returned error, retrying after 1s: unexpected HTTP response (507): 507 Insufficient Storage";
  expect(classify([line], exitFacts(1, { timedOut: true }))?.code).toBe("repository_full");
});

test("a restic that someone else killed has failed and says by what", () => {
  const facts: ExitFacts = {
    code: null,
    signal: "SIGKILL",
    interruptedByUs: false,
    timedOut: false,
    killed: false,
  };
  expect(classify([], facts)).toEqual({
    code: "failed",
    message: "restic was ended by SIGKILL (out of memory?)",
    exitCode: null,
    signal: "SIGKILL",
  });
});

test("an unknown exit code is a failure with the first line of what was said", () => {
  expect(classify(["Fatal: something new\nmore"], exitFacts(42))).toEqual({
    code: "failed",
    message: "something new",
    exitCode: 42,
    signal: null,
  });
  expect(classify([], exitFacts(2))?.message).toBe("restic ended with code 2 and said nothing");
});

test("secrets in restic's words do not reach the message", () => {
  const redact = redactor(["hunter22"]);
  const line = '{"message_type":"exit_error","code":1,"message":"Fatal: strange hunter22 happened"}';
  expect(classifyExit(exitFacts(1), evidenceOf([line]), { ...context, redact })?.message).toBe(
    "strange [secret] happened",
  );
});
