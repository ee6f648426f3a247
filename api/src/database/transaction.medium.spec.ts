import { afterAll, beforeAll, expect, it } from '@jest/globals';
import postgres from 'postgres';
import { testConfig } from '../testing/config.js';
import { createTestDatabase, type TestDatabase } from '../testing/database.js';
import { connect, type Sql } from './database.module.js';
import { isDatabaseUnavailable } from './database-errors.js';
import { inTransaction } from './transaction.js';

let database: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  sql = connect(testConfig(database.environment));
  await sql`CREATE TABLE notes (text text UNIQUE)`;
});
afterAll(async () => {
  // At once: postgres.js goes on waiting for the answer that the lost connection owed.
  await sql.end({ timeout: 0 });
  await database.drop();
});

const notes = async () => (await sql`SELECT text FROM notes`).map(({ text }) => text);

it('keeps what the work wrote, and gives its result', async () => {
  const result = await inTransaction(sql, async (transaction) => {
    await transaction`INSERT INTO notes VALUES ('kept')`;
    return 'result';
  });
  expect(result).toBe('result');
  expect(await notes()).toEqual(['kept']);
});

it('rolls back what throws, and what the database refuses', async () => {
  const own = inTransaction(sql, async (transaction) => {
    await transaction`INSERT INTO notes VALUES ('lost')`;
    throw new Error('no');
  });
  await expect(own).rejects.toThrow('no');
  const refused = inTransaction(sql, async (transaction) => {
    await transaction`INSERT INTO notes VALUES ('lost')`;
    await transaction`INSERT INTO notes VALUES ('kept')`;
  });
  await expect(refused).rejects.toBeInstanceOf(postgres.PostgresError);
  expect(await notes()).toEqual(['kept']);
});

it('outlives its connection', async () => {
  const cut = inTransaction(sql, async (transaction) => {
    await transaction`INSERT INTO notes VALUES ('lost')`;
    await transaction`SELECT pg_terminate_backend(pg_backend_pid())`;
  });
  expect(isDatabaseUnavailable(await cut.catch((error: unknown) => error))).toBe(true);
  expect(await notes()).toEqual(['kept']);
});

it('lets nothing more through to a connection that has ended', async () => {
  const cut = inTransaction(sql, async (transaction) => {
    const [row] = await transaction<{ pid: number }[]>`SELECT pg_backend_pid() AS pid`;
    await sql`SELECT pg_terminate_backend(${row?.pid ?? 0})`;
    await cut.catch(() => {});
    await transaction`INSERT INTO notes VALUES ('late')`;
  }).catch((error: unknown) => error);
  expect(isDatabaseUnavailable(await cut)).toBe(true);
  expect(await notes()).toEqual(['kept']);
});
