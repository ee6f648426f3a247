import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Queries, Sql } from './database.module.js';

/**
 * Runs `work` in one transaction, which is rolled back when it throws.
 *
 * Whatever postgres.js writes to a connection that is gone ends the whole process, out of reach of any catch
 * (porsager/postgres#1154). So `work` gets no more queries through once its connection has ended. And since postgres.js
 * answers every failure with a rollback, it is not told of this one: it knows already, and has rejected the transaction.
 */
export function inTransaction<T>(sql: Sql, work: (transaction: Queries) => Promise<T>): Promise<T> {
  let ended = false;
  const transaction = sql.begin((queries) =>
    work(closingWhen(() => ended, queries)).catch(async (error: unknown) => {
      await nextTurn();
      if (ended) await new Promise<never>(() => {});
      throw error;
    }),
  );
  return (transaction as Promise<T>).finally(() => {
    ended = true;
  });
}

const closingWhen = (isClosed: () => boolean, queries: Queries): Queries =>
  new Proxy(queries, {
    apply: (target, self, words) => {
      if (isClosed()) throw new Error('the connection of this transaction has ended');
      return Reflect.apply(target, self, words);
    },
  });
