import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queries, Sql } from './database.module.js';

/**
 * Runs `work` in one transaction, which is rolled back when it throws.
 *
 * postgres.js answers every failure with a rollback. Writing that to a connection that is gone ends the whole process,
 * out of reach of any catch (porsager/postgres#1154): so when the failure is the end of the connection, postgres.js
 * is not told. It knows already, and has rejected the transaction.
 */
export function inTransaction<T>(sql: Sql, work: (transaction: Queries) => Promise<T>): Promise<T> {
  let ended = false;
  const transaction = sql.begin((queries) =>
    work(queries).catch(async (error: unknown) => {
      await nextTurn();
      if (ended) await new Promise<never>(() => {});
      throw error;
    }),
  );
  return (transaction as Promise<T>).finally(() => {
    ended = true;
  });
}
