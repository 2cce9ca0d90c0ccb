import { awkwardJson, mutated } from "@restic-manager/protocol/testing/hostile";
import fc from "fast-check";

/** As much of an OpenAPI 3.1 document's JSON schema as the requests of this server use. */
export interface Schema {
  type?: string | string[];
  enum?: unknown[];
  const?: unknown;
  properties?: Record<string, Schema>;
  items?: Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
  format?: string;
  pattern?: string;
}

/** One operation as the document describes it. */
export interface Operation {
  parameters?: { in: string; name: string; schema?: Schema }[];
  requestBody?: { content?: Record<string, { schema?: Schema }> };
}

export interface ApiRequest {
  /** With its query. */
  path: string;
  /** The body's text; left out for none. */
  body?: string;
}

const WORDS = [
  "",
  "a",
  "0",
  "-1",
  "1e400",
  "%",
  "%00",
  "../..",
  "'; drop table jobs; --",
  "\u2028",
  "x".repeat(3_000),
];

/**
 * Requests to one operation: the path's ids are mostly `known` ones, and query and body are what the document asks for with something
 * awkward in them, or have nothing to do with it.
 */
export function requestsTo(
  path: string,
  operation: Operation,
  known: readonly string[],
  schemas: Readonly<Record<string, Schema>>,
): fc.Arbitrary<ApiRequest> {
  const id = fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...known) },
    { weight: 1, arbitrary: fc.constantFrom("01J00000000000000000000000", ...WORDS.slice(1)) },
  );
  const word = fc.oneof(fc.constantFrom(...WORDS), fc.string({ unit: "binary", maxLength: 30 }));
  const asked = (operation.parameters ?? []).filter((parameter) => parameter.in === "query");
  const query = fc.record(
    Object.fromEntries(
      asked.map(({ name, schema }) => [
        name,
        fc.oneof(
          word,
          fitting(schema ?? {}, schemas).map((value) => String(value)),
        ),
      ]),
    ),
    { requiredKeys: [] },
  );
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  const body =
    schema === undefined
      ? fc.constant(undefined)
      : fc.oneof(
          { weight: 4, arbitrary: mutated(fitting(schema, schemas).map((value) => Object(value))) },
          { weight: 3, arbitrary: fitting(schema, schemas).map((value) => JSON.stringify(value)) },
          { weight: 1, arbitrary: awkwardJson },
          { weight: 1, arbitrary: fc.string() },
        );
  const parts = path.split(/\{[^}]+\}/);
  return fc
    .tuple(fc.array(id, { minLength: parts.length - 1, maxLength: parts.length - 1 }), query, body)
    .map(([ids, words, text]) => {
      const filled = parts.map((part, at) => part + encodeURIComponent(ids[at] ?? "")).join("");
      const search = Object.entries(words).map(
        ([name, value]) => `${name}=${encodeURIComponent((value ?? "").toWellFormed())}`,
      );
      return {
        path: `${filled}${search.length === 0 ? "" : `?${search.join("&")}`}`,
        ...(text === undefined ? {} : { body: text }),
      };
    });
}

/** Values of that shape, as far as the few words of `Schema` go; patterns and bounds are often broken, which is the point. */
function fitting(schema: Schema, schemas: Readonly<Record<string, Schema>>): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return fitting(schemas[schema.$ref.split("/").at(-1) ?? ""] ?? {}, schemas);
  if ("const" in schema) return fc.constant(schema.const);
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) return fc.oneof(...choices.map((choice) => fitting(choice, schemas)));
  if (schema.allOf !== undefined)
    return fc
      .tuple(...schema.allOf.map((part) => fitting(part, schemas)))
      .map((parts) => Object.assign({}, ...parts) as unknown);
  const type = Array.isArray(schema.type) ? schema.type[0] : schema.type;
  switch (type) {
    case "object":
      return fc.record(
        Object.fromEntries(
          Object.entries(schema.properties ?? {}).map(([key, value]) => [key, fitting(value, schemas)]),
        ),
      );
    case "array":
      return fc.array(fitting(schema.items ?? {}, schemas), { maxLength: 4 });
    case "integer":
    case "number":
      return fc.oneof(fc.nat(100), fc.constantFrom(-1, 0, 1.5, 2 ** 53, -(2 ** 63)));
    case "boolean":
      return fc.boolean();
    case "null":
      return fc.constant(null);
    case "string":
      return fc.oneof(
        fc.constantFrom(
          "",
          "a",
          "/srv",
          "* * * * *",
          "Europe/Berlin",
          "2026-02-31",
          "http://127.0.0.1:1/",
          "--x",
          "\u0000",
        ),
        fc.string({ unit: "binary", maxLength: 60 }),
      );
    case undefined:
    default:
      return fc.jsonValue();
  }
}
