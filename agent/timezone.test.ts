import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { machineTimezone } from "./timezone.ts";

const folder = mkdtempSync(join(tmpdir(), "rm-zone-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const nowhere = { link: join(folder, "no-link"), name: join(folder, "no-name") };

test("a machine's zone is what TZ names, else what its system's link or file says, else what the runtime knows", () => {
  const link = join(folder, "localtime");
  const name = join(folder, "timezone");
  symlinkSync("../usr/share/zoneinfo/America/Argentina/Ushuaia", link);
  writeFileSync(name, "Asia/Tokyo\n");
  expect(machineTimezone({ TZ: "Europe/Berlin" }, { link, name })).toBe("Europe/Berlin");
  expect(machineTimezone({}, { link, name })).toBe("America/Argentina/Ushuaia");
  expect(machineTimezone({ TZ: ":/etc/localtime" }, { link, name })).toBe("America/Argentina/Ushuaia");
  expect(machineTimezone({ TZ: "CET-1CEST" }, { ...nowhere, name })).toBe("Asia/Tokyo");
  expect(machineTimezone({}, nowhere)).toBe(new Intl.DateTimeFormat().resolvedOptions().timeZone);
});
