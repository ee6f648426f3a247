import { setImmediate as nextTurn } from 'node:timers/promises';
import postgres from 'postgres';
import type { Queries, Sql } from './database.module.js';

/**
 * Runs `work` in one transaction, which is rolled back when it throws.
 *
 * postgres.js answers every failure with a rollback. Writing that to a connection that is gone ends the whole process,
 * out of reach of any catch (porsager/postgres#1154): so a failure is kept from it while the connection goes, and
 * its own rejection, which follows, is the result.
 */
export function inTransaction<T>(sql: Sql, work: (transaction: Queries) => Promise<T>): Promise<T> {
  let ended = false;
  const transaction = sql.begin((queries) =>
    work(queries).catch(async (error: unknown) => {
      await nextTurn();
      if (ended || endsConnection(error)) await new Promise<never>(() => {});
      throw error;
    }),
  );
  return (transaction as Promise<T>).finally(() => {
    ended = true;
  });
}

/** After FATAL and PANIC the server closes the connection. */
const endsConnection = (error: unknown): boolean =>
  error instanceof postgres.PostgresError && error.severity !== 'ERROR';
