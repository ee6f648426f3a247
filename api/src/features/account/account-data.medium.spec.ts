import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../testing/database.js';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/**
 * Tables whose rows don't go with an account's row, and what becomes of them instead. tests/support/account-tables.ts has
 * all tables, and a story that deletes an account which has left something in each.
 */
const NOT_BY_CASCADE: Readonly<Record<string, string>> = {
  'kamailio.location': 'removed when the account is closed, and by Kamailio',
  'kamailio.location_attrs': 'never written',
  'kamailio.subscriber': 'removed when the account is closed',
  'kamailio.version': 'no data of accounts',
  'public.alerts': 'no data of accounts',
  'public.call_events': 'those about its devices go with it, the others with their call',
  'public.calls': 'the other party keeps them, without it; gone when both are',
  'public.groups': 'handed over, or removed with the last member',
  'public.invites': 'no data of accounts',
  'public.mails': 'go with the account that they are about; the others when they expire',
  'public.monitor_lease': 'no data of accounts',
  'public.removed_rooms': 'ids of rooms, for a minute',
  'public.retired_names': 'hashes of names whose accounts are gone',
  'public.schema_migrations': 'no data of accounts',
};

it('what belongs to an account goes with its row, or is known not to', async () => {
  const tables = await database.sql<{ name: string }[]>`
    WITH RECURSIVE going (id) AS (
      SELECT 'accounts'::regclass::oid
      UNION
      SELECT c.conrelid FROM going JOIN pg_constraint c ON c.confrelid = going.id
      WHERE c.contype = 'f' AND c.confdeltype = 'c' AND NOT EXISTS (
        SELECT FROM pg_attribute a WHERE a.attrelid = c.conrelid AND a.attnum = ANY(c.conkey) AND NOT a.attnotnull)
    )
    SELECT n.nspname || '.' || t.relname AS name FROM pg_class t JOIN pg_namespace n ON n.oid = t.relnamespace
    WHERE t.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND t.oid NOT IN (SELECT id FROM going)`;
  expect(tables.map(({ name }) => name).sort()).toEqual(Object.keys(NOT_BY_CASCADE).sort());
});

it('nothing keeps an account from going', async () => {
  const constraints = await database.sql<{ name: string }[]>`
    SELECT conname AS name FROM pg_constraint
    WHERE contype = 'f' AND confrelid = 'accounts'::regclass AND confdeltype NOT IN ('c', 'n')`;
  expect([...constraints]).toEqual([]);
});
