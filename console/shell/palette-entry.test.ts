import { expect, test } from "bun:test";
import { rankEntries, type PaletteEntry } from "./palette-entry.ts";

const host = (title: string, note = ""): PaletteEntry => ({
  id: title,
  group: "Hosts",
  title,
  note,
  to: "/",
});
const titles = (entries: PaletteEntry[]) => entries.map((entry) => entry.title);

test("names rank before notes, and beginnings before middles", () => {
  const entries = [
    host("win-files-02", "Berlin"),
    host("amber"),
    host("nas-ber-01"),
    host("ber-gw"),
    host("db-ams"),
  ];
  expect(titles(rankEntries(entries, " BER "))).toEqual(["ber-gw", "nas-ber-01", "amber", "win-files-02"]);
});

test("with nothing typed everything is offered as it came", () => {
  expect(titles(rankEntries([host("b"), host("a")], ""))).toEqual(["b", "a"]);
});
