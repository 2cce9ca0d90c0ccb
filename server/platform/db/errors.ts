import { SQLiteError } from "bun:sqlite";
import { SQL } from "bun";

/**
 * What a failing store means for whoever called it. `full` and `unreachable` pass by themselves; `corrupt` does not. `unstorable`: the
 * text it was given holds NUL, which only SQLite takes.
 */
export type StoreFailure = "full" | "corrupt" | "locked" | "unreachable" | "unstorable" | "other";

/**
 * Says what is wrong with the store, or null when `error` did not come from one (or is a broken constraint, which is the
 * caller's to answer). Follows `cause`.
 */
export function storeFailure(error: unknown): StoreFailure | null {
  if (error instanceof SQLiteError) return isUniqueViolation(error) ? null : sqliteFailure(error.code ?? "");
  if (error instanceof SQL.PostgresError) return postgresFailure(error);
  if (error instanceof Error && error.cause !== undefined) return storeFailure(error.cause);
  return null;
}

/**
 * True when the store itself is the trouble, so that the same work may succeed later; false when the data is, or when `error` has
 * nothing to do with the store. In doubt the store is: whatever is set aside as bad data is lost to those who wait for it.
 */
export function isStoreTrouble(error: unknown): boolean {
  const failure = storeFailure(error);
  return failure !== null && failure !== "unstorable" && !(failure === "other" && isDataFault(error));
}

function isDataFault(error: unknown): boolean {
  if (error instanceof SQLiteError)
    return /^SQLITE_(CONSTRAINT|MISMATCH|TOOBIG|RANGE|ERROR)/.test(error.code ?? "");
  // Data exceptions, broken constraints, statements that are wrong, limits of a row.
  if (error instanceof SQL.PostgresError) return /^(22|23|42|54)/.test(String(error.errno ?? ""));
  return error instanceof Error && error.cause !== undefined && isDataFault(error.cause);
}

/** True when a row with the same key is already there, on both databases. */
export function isUniqueViolation(error: unknown): boolean {
  if (error instanceof SQLiteError)
    return error.code === "SQLITE_CONSTRAINT_UNIQUE" || error.code === "SQLITE_CONSTRAINT_PRIMARYKEY";
  return error instanceof SQL.PostgresError && String(error.errno) === "23505";
}

function sqliteFailure(code: string): StoreFailure {
  if (code === "SQLITE_FULL" || code === "SQLITE_IOERR_WRITE") return "full";
  if (code.startsWith("SQLITE_CORRUPT") || code === "SQLITE_NOTADB") return "corrupt";
  if (code.startsWith("SQLITE_BUSY") || code.startsWith("SQLITE_LOCKED")) return "locked";
  if (code.startsWith("SQLITE_CANTOPEN") || code.startsWith("SQLITE_READONLY")) return "unreachable";
  return "other";
}

/** By SQLSTATE (PostgreSQL manual, appendix A), and by Bun's own codes where the server never answered. */
function postgresFailure(error: SQL.PostgresError): StoreFailure | null {
  const state = String(error.errno ?? "");
  if (state === "53100") return "full";
  if (state === "22021" || state === "22P05") return "unstorable";
  if (/^XX00[12]$/.test(state)) return "corrupt";
  // 25P03: this server was silent in a transaction for so long that its locks were taken from it.
  if (/^(25P03|40001|40P01|55P03)$/.test(state)) return "locked";
  if (/^(08...|57P0[123]|53300|28...|3D000)$/.test(state)) return "unreachable";
  if (state.startsWith("23")) return null;
  if (state === "" || /CONNECTION|TIMEOUT/.test(error.code)) return "unreachable";
  return "other";
}
