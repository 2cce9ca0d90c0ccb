import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { hostStatuses } from "../ui/state-words.ts";
import { fleetHref, isFiltered, listOf, readFleetSearch, type FleetSearch } from "./fleet-search.ts";

const read = (href: string) =>
  readFleetSearch(Object.fromEntries(new URL(href, "http://fleet").searchParams));

describe("the fleet's address", () => {
  test("says all of filter, order and search, and is read back as it was written", () => {
    const anySearch: fc.Arbitrary<FleetSearch> = fc.record(
      {
        search: fc.string({ minLength: 1, maxLength: 30 }),
        status: fc.constantFrom(...hostStatuses),
        backed_up: fc.constant("24h" as const),
        tag: fc.constantFrom("web", "tier:1", "größe"),
        sort: fc.constantFrom("name" as const, "protected" as const),
        order: fc.constant("desc" as const),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(anySearch, (search) => {
        expect(read(fleetHref(search))).toEqual(search);
      }),
    );
  });

  test("of an old bookmark opens the fleet all the same", () => {
    expect(read("/?status=overdue&sort=colour&order=up&search=&colour=x")).toEqual({});
  });

  test("without anything asks for the most urgent first", () => {
    expect(listOf({})).toEqual({ sort: "status", order: "asc" });
    expect(listOf({ search: "  " })).toEqual({ sort: "status", order: "asc" });
    expect(isFiltered({ sort: "name" })).toBe(false);
    expect(isFiltered({ status: "failed" })).toBe(true);
  });
});
