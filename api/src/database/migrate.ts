import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadMigrationConfig } from '../config/config.js';

/** sql/migrations of this checkout, seen from api/dist/database, and from api/dist/bundle. */
export const MIGRATIONS_DIRECTORY = fileURLToPath(new URL('../../../sql/migrations', import.meta.url));

const binary = (): string => {
  const dbmate = createRequire(import.meta.url).resolve(`@dbmate/${process.platform}-${process.arch}/package.json`);
  return path.join(path.dirname(dbmate), 'bin', 'dbmate');
};

/** Runs the migrations that are missing. One process at a time: dbmate itself holds no lock. */
export function runMigrations(databaseUrl: string): void {
  const options = ['--no-dump-schema', '--migrations-dir', MIGRATIONS_DIRECTORY, '--wait', '--wait-timeout', '30s'];
  // The URL goes by the environment: it holds the password, and a process list shows arguments.
  const environment = { DATABASE_URL: databaseUrl };
  const { status, stderr } = spawnSync(binary(), [...options, 'migrate'], { env: environment, encoding: 'utf8' });
  if (status !== 0) throw new Error(`the migration failed: ${stderr.trim()}`);
}

/** `cli migrate`: the database of the settings, through the role that may change its schema. */
export async function migrate(): Promise<void> {
  const { host, name, user, password, port } = loadMigrationConfig();
  const url = new URL(`postgres://${host}:${port}/${encodeURIComponent(name)}?sslmode=disable`);
  url.username = encodeURIComponent(user);
  url.password = encodeURIComponent(password.reveal());
  runMigrations(url.href);
}
