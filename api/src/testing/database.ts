import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import postgres from 'postgres';
import { MIGRATIONS_DIRECTORY, runMigrations } from '../database/migrate.js';

/** A database of one suite's own: with the schema, without data. */
export interface TestDatabase {
  /** Settings that point the API at it. */
  environment: NodeJS.ProcessEnv;
  /** A superuser's view of it, to look into every table. */
  sql: postgres.Sql;
  drop(): Promise<void>;
}

/** Any number: the suites agree on it, so that only one of them makes the template. */
const TEMPLATE_LOCK = 726_354;

function serverUrl(): URL {
  const url = process.env.TEST_DATABASE_URL;
  if (!url) throw new Error('TEST_DATABASE_URL is not set: run the medium tests with scripts/test.sh medium');
  return new URL(url);
}

function urlOf(database: string): string {
  const url = serverUrl();
  url.pathname = `/${database}`;
  return url.href;
}

/** A template is as old as its migrations: other migrations make another one. */
function templateName(): string {
  const hash = createHash('sha256');
  for (const file of readdirSync(MIGRATIONS_DIRECTORY).sort()) {
    hash.update(readFileSync(path.join(MIGRATIONS_DIRECTORY, file)));
  }
  return `veil_template_${hash.digest('hex').slice(0, 12)}`;
}

/** The migrations run once; every suite gets a copy, which PostgreSQL makes in some 20 ms. */
async function makeTemplate(admin: postgres.Sql, template: string): Promise<void> {
  await admin.begin(async (transaction) => {
    await transaction`SELECT pg_advisory_xact_lock(${TEMPLATE_LOCK})`;
    const existing = await admin`SELECT 1 FROM pg_database WHERE datname = ${template}`;
    if (existing.length > 0) return;
    // Under another name until it is whole: a run that is cut off here must not leave half a template.
    await admin.unsafe(`DROP DATABASE IF EXISTS ${template}_new`);
    await admin.unsafe(`CREATE DATABASE ${template}_new`);
    runMigrations(`${urlOf(`${template}_new`)}?sslmode=disable`);
    await admin.unsafe(`ALTER DATABASE ${template}_new RENAME TO ${template}`);
  });
}

export async function createTestDatabase(): Promise<TestDatabase> {
  const admin = postgres(serverUrl().href, { max: 2, onnotice: () => {} });
  const template = templateName();
  await makeTemplate(admin, template);
  const name = `veil_medium_${randomBytes(6).toString('hex')}`;
  await admin.unsafe(`CREATE DATABASE ${name} TEMPLATE ${template}`);
  const sql = postgres(urlOf(name), { max: 2 });
  const { hostname, port, username, password } = serverUrl();
  return {
    sql,
    environment: { DB_HOST: hostname, DB_PORT: port, DB_NAME: name, DB_USER: username, DB_PASSWORD: password },
    drop: async () => {
      await sql.end();
      await admin.unsafe(`DROP DATABASE ${name} WITH (FORCE)`);
      await admin.end();
    },
  };
}
