import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { Metrics } from '../common/metrics.js';
import { NeighbourTimes } from '../common/neighbour-times.js';
import { testConfig } from '../testing/config.js';
import { createTestDatabase, type TestDatabase } from '../testing/database.js';
import { connect, type Sql } from './database.module.js';
import { DatabaseUse } from './database-use.js';
import { inTransaction } from './transaction.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
  await database.sql`CREATE TABLE notes (text text PRIMARY KEY)`;
});
afterAll(() => database.drop());

const opened: Sql[] = [];
afterAll(() => Promise.all(opened.map((sql) => sql.end())));

/** A pool that is watched, and what it told. */
function watched(settings: NodeJS.ProcessEnv = {}) {
  const config = testConfig({ ...database.environment, NEIGHBOUR_TIMEOUT_MS: '500', ...settings });
  const metrics = new Metrics();
  const use = new DatabaseUse(config, new NeighbourTimes(metrics), metrics);
  const sql = use.watch(connect(config, (socket) => use.opened(socket)));
  opened.push(sql);
  const value = async (series: string): Promise<number> => {
    const line = (await metrics.text()).split('\n').find((each) => each.startsWith(`${series} `));
    return Number(line?.split(' ')[1] ?? 0);
  };
  const countOf = (operation: string) =>
    value(`veil_neighbour_seconds_count{neighbour="postgresql",operation="${operation}"}`);
  const failuresOf = (operation: string) =>
    value(`veil_neighbour_failures_total{neighbour="postgresql",operation="${operation}"}`);
  return { sql, value, countOf, failuresOf };
}

it('measures each query once, and answers as the pool does', async () => {
  const { sql, countOf } = watched();
  const query = sql`SELECT ${1}::int AS one`;
  expect(await countOf('SELECT')).toBe(0);
  expect([...(await query)]).toEqual([{ one: 1 }]);
  expect([...(await query)]).toEqual([{ one: 1 }]);
  expect(await countOf('SELECT')).toBe(1);
});

it('takes a part of a query for no query', async () => {
  const { sql, countOf } = watched();
  const part = sql`text = ${'nothing'}`;
  expect([...(await sql`SELECT * FROM ${sql('notes')} WHERE ${part}`)]).toEqual([]);
  expect(await countOf('SELECT')).toBe(1);
});

it('measures transactions, and what is in them', async () => {
  const { sql, countOf } = watched();
  await inTransaction(sql, async (queries) => {
    await queries`INSERT INTO notes VALUES ('kept')`;
    await queries`SELECT FROM notes`;
  });
  expect([await countOf('transaction'), await countOf('INSERT'), await countOf('SELECT')]).toEqual([1, 1, 1]);
});

it('does not call a refused statement a failure of the server', async () => {
  const { sql, countOf, failuresOf } = watched();
  await sql`INSERT INTO notes VALUES ('one')`;
  await expect(sql`INSERT INTO notes VALUES ('one')`).rejects.toMatchObject({ code: '23505' });
  expect([await countOf('INSERT'), await failuresOf('INSERT')]).toEqual([2, 0]);
});

it('counts what an absent server fails', async () => {
  // Nobody listens there.
  const { sql, countOf, failuresOf } = watched({ DB_PORT: '9' });
  await expect(sql`SELECT 1`).rejects.toThrow();
  await expect(inTransaction(sql, (queries) => queries`SELECT 1`)).rejects.toThrow();
  expect([await countOf('SELECT'), await failuresOf('SELECT')]).toEqual([1, 1]);
  expect([await countOf('transaction'), await failuresOf('transaction')]).toEqual([1, 1]);
});

it('tells how many connections are open, and how many queries wait or run', async () => {
  const { sql, value } = watched({ DB_POOL_SIZE: '2' });
  const slow = Promise.all(Array.from({ length: 5 }, () => sql`SELECT pg_sleep(0.2)`));
  await nextTurn();
  expect(await value('veil_database_queries')).toBe(5);
  await slow;
  expect(await value('veil_database_queries')).toBe(0);
  expect(await value('veil_database_connections')).toBe(2);
  expect(await value('veil_database_connections_max')).toBe(2);
  await sql.end();
  expect(await value('veil_database_connections')).toBe(0);
});
