import postgres from 'postgres';
import { platform, secret } from './platform.js';
import { until } from './wait.js';

/** The owners of everything in each database: what they can't see is not there. */
const DATABASES = [
  { database: 'veil', user: 'veil_migrate', password: 'db_migrate_password' },
  { database: 'ejabberd', user: 'ejabberd', password: 'db_ejabberd_password' },
] as const;

/** A row that holds what was looked for. */
export interface Trace {
  table: string;
  /** Whose row it is, in the tables that say so in a column `username`. */
  username: string | undefined;
  row: Record<string, unknown>;
}

/** The names of all tables of both databases. */
export async function tablesOfDatabases(): Promise<string[]> {
  const names = await Promise.all(DATABASES.map((login) => withDatabase(login, tablesOf)));
  return names.flat().map(({ name }) => name);
}

/** Lets a story move what is kept into the past. */
export const writeToEjabberd = <T>(use: (sql: postgres.Sql) => Promise<T>): Promise<T> =>
  withDatabase(DATABASES[1], use);

/** Lets a story write what no request makes stay. */
export const writeToVeil = <T>(use: (sql: postgres.Sql) => Promise<T>): Promise<T> => withDatabase(DATABASES[0], use);

/** Looks into every column of every table of both databases, whatever its type, for any of the texts. */
export async function findInDatabases(...texts: string[]): Promise<Trace[]> {
  const found = await Promise.all(DATABASES.map((login) => withDatabase(login, (sql) => search(sql, texts))));
  return found.flat();
}

/**
 * Returns once a message with that text waits for somebody who is offline. ejabberd stores it a moment after it has
 * taken it: who logs in within that moment gets it only the time after.
 */
export async function waitsOffline(username: string, text: string): Promise<void> {
  const [, login] = DATABASES;
  await withDatabase(login, (sql) =>
    until(`"${text}" waits for ${username}`, async () => {
      const stored = await sql`SELECT FROM spool WHERE username = ${username} AND position(${text} IN xml) > 0`;
      return stored.length > 0;
    }),
  );
}

/** Ends one of ejabberd's connections to its database, one that does nothing at the moment. */
export async function breakConnectionOfEjabberd(): Promise<void> {
  const [, login] = DATABASES;
  // Only ejabberd's own connections have no application name.
  const ended = await withDatabase(
    login,
    (sql) => sql`
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE usename = ${login.user} AND application_name = '' AND state = 'idle' LIMIT 1`,
  );
  if (ended.length !== 1) throw new Error('ejabberd has no connection to its database');
}

type Login = (typeof DATABASES)[number];

async function withDatabase<T>(
  { database, user, password }: Login,
  use: (sql: postgres.Sql) => Promise<T>,
): Promise<T> {
  const { host, ports } = platform;
  const sql = postgres({ host, port: ports.database, database, user, password: secret(password), max: 1 });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

const tablesOf = (sql: postgres.Sql) =>
  sql<{ schema: string; name: string }[]>`
    SELECT schemaname AS schema, tablename AS name FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2`;

async function search(sql: postgres.Sql, texts: string[]): Promise<Trace[]> {
  // Binary columns show as hexadecimal digits when a row is written as text.
  const needles = texts.flatMap((text) => [text.toLowerCase(), Buffer.from(text).toString('hex')]);
  const traces: Trace[] = [];
  for (const { schema, name } of await tablesOf(sql)) {
    const rows = await sql`
      SELECT searched.* FROM ${sql(schema)}.${sql(name)} AS searched,
        LATERAL (SELECT lower(searched::text) AS text OFFSET 0) AS flat -- once, not for each needle
      WHERE EXISTS (SELECT FROM unnest(${needles}::text[]) AS needle WHERE position(needle IN flat.text) > 0)`;
    traces.push(...rows.map((row) => ({ table: name, username: row.username, row })));
  }
  return traces;
}
