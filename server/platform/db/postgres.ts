import { SQL } from "bun";
import { CompiledQuery, type Dialect } from "kysely";
import { PostgresJSDialect } from "kysely-postgres-js";

/** Connections one server keeps; PostgreSQL's default limit of 100 leaves room for several servers. */
const CONNECTIONS = 10;
const CONNECT_SECONDS = 10;
/**
 * A server that froze in the middle of a transaction (a paused machine, a hung disk) holds rows that the others need: its agents' hellos
 * would wait for as long as it is frozen. PostgreSQL ends such a transaction; whoever was in it tries again.
 */
const IDLE_IN_TRANSACTION_MS = 5_000;

/** Kysely over a pool of connections, opened when first needed and again after a loss. */
export function postgresDialect(url: string): Dialect {
  return new BunPostgres({
    postgres: new SQL(url, {
      max: CONNECTIONS,
      connectionTimeout: CONNECT_SECONDS,
      connection: { idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS },
    }),
  });
}

class BunPostgres extends PostgresJSDialect {
  override createDriver() {
    const driver: ReturnType<PostgresJSDialect["createDriver"]> = super.createDriver();
    // When the connection is gone the rollback fails too, and would hide the error that says why.
    driver.rollbackTransaction = async (connection) => {
      await connection.executeQuery(CompiledQuery.raw("rollback")).catch(() => undefined);
    };
    return driver;
  }
}
