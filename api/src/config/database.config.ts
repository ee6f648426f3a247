import type { Secret } from '../common/secret.js';
import { hostName, integer, type SettingReader, secretSetting, setting, text } from './setting.js';

export const databaseSettings = {
  DB_HOST: setting('DB_HOST', hostName, '127.0.0.1', 'Address of PostgreSQL, as the API sees it.'),
  DB_NAME: setting('DB_NAME', text, 'veil', "Database of the API and of Kamailio's tables."),
  DB_USER: setting('DB_USER', text, 'veil_api', 'Role of the API.'),
  DB_POOL_SIZE: setting('DB_POOL_SIZE', integer(1, 50), 10, 'Most connections that one API process opens.'),
  DB_PASSWORD: secretSetting('DB_PASSWORD', 16, 'Password of the role veil_api.'),
};

export const migrationSettings = {
  DB_MIGRATE_USER: setting('DB_MIGRATE_USER', text, 'veil_migrate', 'Role that runs the migrations.'),
  DB_MIGRATE_PASSWORD: secretSetting('DB_MIGRATE_PASSWORD', 16, 'Password of the role veil_migrate.'),
};

export interface DatabaseConfig {
  host: string;
  name: string;
  user: string;
  password: Secret;
  poolSize: number;
}

export function readDatabase({ read }: SettingReader): DatabaseConfig {
  return {
    host: read(databaseSettings.DB_HOST),
    name: read(databaseSettings.DB_NAME),
    user: read(databaseSettings.DB_USER),
    password: read(databaseSettings.DB_PASSWORD),
    poolSize: read(databaseSettings.DB_POOL_SIZE),
  };
}

/** The same database through the role that may change its schema: for `cli migrate` only. */
export function readMigrationDatabase(reader: SettingReader): Omit<DatabaseConfig, 'poolSize'> {
  return {
    host: reader.read(databaseSettings.DB_HOST),
    name: reader.read(databaseSettings.DB_NAME),
    user: reader.read(migrationSettings.DB_MIGRATE_USER),
    password: reader.read(migrationSettings.DB_MIGRATE_PASSWORD),
  };
}
