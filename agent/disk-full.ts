import { SQLiteError } from "bun:sqlite";

/** True when SQLite says that the disk is full, or that a write was cut short by it. */
export function isDiskFull(error: unknown): boolean {
  return (
    error instanceof SQLiteError && (error.code === "SQLITE_FULL" || error.code === "SQLITE_IOERR_WRITE")
  );
}
