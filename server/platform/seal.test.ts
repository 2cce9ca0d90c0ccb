import { afterAll, describe, expect, test } from "bun:test";
import fc from "fast-check";
import { existsSync, mkdtempSync, rmSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onEveryDatabase } from "../testing/databases.ts";
import { openDatabase } from "./db/open.ts";
import { createSeal, openSeal } from "./seal.ts";
import { createKeyFile, readKeyFile, SealError } from "./seal-keys.ts";

const folder = mkdtempSync(join(tmpdir(), "rm-seal-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => join(folder, `key-${files++}`);
const failure = (work: Promise<unknown>) =>
  work.then(
    () => "no failure",
    (error: unknown) => (error instanceof SealError ? error.message : error),
  );

describe("a sealed text", () => {
  const keys = createKeyFile(newFile());
  const seal = createSeal(keys);

  test("opens again, whatever it says", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.string(), (plain, slot) => {
        expect(seal.open(seal.seal(plain, slot), slot)).toBe(plain);
      }),
    );
  });

  test("is another one each time, and shows nothing", () => {
    const [one, two] = [
      seal.seal("repository password", "host:a:repo"),
      seal.seal("repository password", "host:a:repo"),
    ];
    expect(one).not.toBe(two);
    expect(one).toMatch(new RegExp(`^v1\\.${seal.keyId}\\.[\\w-]{16}\\.[\\w-]+$`));
    expect(Buffer.from(one.split(".")[3] ?? "", "base64url").toString()).not.toContain("password");
  });

  test("does not open in another row or slot", () => {
    const sealed = seal.seal("secret", "host:a:repo");
    for (const slot of ["host:b:repo", "host:a:admin", "", "host:a:repo "])
      expect(() => seal.open(sealed, slot)).toThrow(SealError);
  });

  test("does not open when any character was changed or cut", () => {
    const sealed = seal.seal("secret", "slot");
    for (let at = 0; at < sealed.length; at++) {
      const other = sealed[at] === "A" ? "B" : "A";
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      // The last characters of base64 hold bits that no byte uses.
      if (decoded(changed) !== decoded(sealed)) expect(() => seal.open(changed, "slot")).toThrow(SealError);
      expect(() => seal.open(sealed.slice(0, at), "slot")).toThrow(SealError);
    }
  });

  test("of an old key opens while that key stands in the file, and new ones use the first", () => {
    const [older] = keys;
    const [newer] = createKeyFile(newFile());
    if (older === undefined || newer === undefined) throw new Error("no keys");
    const sealed = seal.seal("secret", "slot");
    const both = createSeal([newer, older]);
    expect(both.open(sealed, "slot")).toBe("secret");
    expect(both.seal("secret", "slot")).toStartWith(`v1.${newer.id}.`);
    expect(() => createSeal([newer]).open(sealed, "slot")).toThrow(`sealed with key ${older.id}`);
  });
});

const decoded = (sealed: string) =>
  sealed
    .split(".")
    .map((part, index) => (index < 2 ? part : Buffer.from(part, "base64url").toString("hex")))
    .join(".");

describe("a key file", () => {
  test("is for its owner only, and never written over", () => {
    const file = newFile();
    const made = createKeyFile(file);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const content = readFileSync(file, "utf8");
    expect(() => createKeyFile(file)).toThrow(file);
    expect(readFileSync(file, "utf8")).toBe(content);
    expect(readKeyFile(file)).toEqual(made);
  });

  test.each([
    "",
    "\n\n",
    "short",
    "x".repeat(44),
    `${Buffer.alloc(31).toString("base64")}\n`,
    "# only a remark",
  ])("that says %j is refused by name, and its content is not shown", (content) => {
    const file = newFile();
    writeFileSync(file, content);
    expect(() => readKeyFile(file)).toThrow(file);
  });

  test("that cannot be read is refused by name", () => {
    expect(() => readKeyFile(folder)).toThrow(folder);
  });
});

onEveryDatabase("the database's own key", (open) => {
  test("is made at the first start and works at the next", async () => {
    const [store, file] = [await openDatabase(await open()), newFile()];
    const sealed = (await openSeal(store.db, file)).seal("secret", "slot");
    expect((await openSeal(store.db, file)).open(sealed, "slot")).toBe("secret");
    await store.close();
  });

  test("that is missing later stops the start, and no other is made in its place", async () => {
    const [store, file] = [await openDatabase(await open()), newFile()];
    await openSeal(store.db, file);
    rmSync(file);
    expect(await failure(openSeal(store.db, file))).toContain(`${file} is missing`);
    expect(existsSync(file)).toBe(false);
    await store.close();
  });

  test("that is another one stops the start", async () => {
    const [store, other] = [await openDatabase(await open()), newFile()];
    await openSeal(store.db, newFile());
    createKeyFile(other);
    expect(await failure(openSeal(store.db, other))).toContain("not the one this database was sealed with");
    await store.close();
  });

  test("can be changed: the new one first, and later alone", async () => {
    const [store, file, next] = [await openDatabase(await open()), newFile(), newFile()];
    await openSeal(store.db, file);
    createKeyFile(next);
    const newKey = readFileSync(next, "utf8");
    writeFileSync(file, `${newKey}${readFileSync(file, "utf8")}`);
    await openSeal(store.db, file);
    writeFileSync(file, newKey);
    expect((await openSeal(store.db, file)).keyId).toBe(readKeyFile(next)?.[0]?.id ?? "");
    await store.close();
  });
});
