import { type Addresses, addressSettings, readAddresses } from './addresses.config.js';
import { type BusConfig, busSettings, readBus } from './bus.config.js';
import { type CallsConfig, callSettings, readCalls } from './calls.config.js';
import { certificateSettings } from './certificate.config.js';
import {
  type DatabaseConfig,
  databaseSettings,
  migrationSettings,
  readDatabase,
  readMigrationDatabase,
} from './database.config.js';
import { type GoogleConfig, googleSettings, readGoogle } from './google.config.js';
import { type HttpConfig, httpSettings, readHttp } from './http.config.js';
import { type IdentityConfig, identitySettings, readIdentity } from './identity.config.js';
import { type MailConfig, mailSettings, readMail } from './mail.config.js';
import { type MonitorConfig, monitorSettings, readMonitor } from './monitor.config.js';
import { type NeighboursConfig, neighbourSettings, readNeighbours } from './neighbours.config.js';
import { type Ports, portSettings, readPorts } from './ports.config.js';
import { type PushConfig, pushSettings, readPush } from './push.config.js';
import { type RelayConfig, readRelay, relaySettings } from './relay.config.js';
import { type RetentionConfig, readRetention, retentionSettings } from './retention.config.js';
import { serverSettings } from './servers.config.js';
import { type Section, SettingReader } from './setting.js';
import { readState, type StateConfig } from './state.config.js';
import { readTurn, type TurnConfig, turnSettings } from './turn.config.js';
import { readVersions, type Versions, versionSettings } from './versions.config.js';

/** Everything the API is told by its environment, parsed and checked. */
export interface Config {
  addresses: Addresses;
  ports: Ports;
  database: DatabaseConfig;
  http: HttpConfig;
  identity: IdentityConfig;
  google: GoogleConfig;
  mail: MailConfig;
  monitor: MonitorConfig;
  retention: RetentionConfig;
  calls: CallsConfig;
  relay: RelayConfig;
  push: PushConfig;
  turn: TurnConfig;
  neighbours: NeighboursConfig;
  bus: BusConfig;
  versions: Versions;
  state: StateConfig;
}

/** Injection token of the Config. */
export const CONFIG = Symbol('Config');

/** Every setting of the product, grouped by concern: the source of .env.example and of the README's table. */
export const SECTIONS: readonly Section[] = [
  { title: 'Names and addresses', settings: addressSettings },
  { title: 'Ports', settings: portSettings },
  { title: 'Certificates', settings: certificateSettings },
  { title: 'Accounts and tokens', settings: identitySettings },
  { title: 'Sign-in with Google', settings: googleSettings },
  { title: 'Mail', settings: mailSettings },
  { title: 'Monitoring', settings: monitorSettings },
  { title: 'What is kept, and for how long', settings: retentionSettings },
  { title: 'Calls', settings: callSettings },
  { title: 'SIM relay', settings: relaySettings },
  { title: 'Push', settings: pushSettings },
  { title: 'TURN', settings: turnSettings },
  { title: 'HTTP', settings: httpSettings },
  { title: 'Database', settings: { ...databaseSettings, ...migrationSettings } },
  { title: 'Neighbours', settings: { ...neighbourSettings, ...busSettings, ...serverSettings } },
  { title: 'Versions', settings: versionSettings },
];

/** The environment is not usable; the message lists every fault and no value. */
export class ConfigError extends Error {
  constructor(readonly faults: readonly string[]) {
    super(`The settings are not usable:\n${faults.map((fault) => `  - ${fault}`).join('\n')}`);
    this.name = 'ConfigError';
  }
}

function readAll<T>(environment: NodeJS.ProcessEnv, sections: (reader: SettingReader) => T): T {
  const reader = new SettingReader(environment);
  const config = sections(reader);
  if (reader.faults.length > 0) throw new ConfigError(reader.faults);
  return config;
}

/** @throws ConfigError naming every missing or invalid setting at once. */
export function loadConfig(environment: NodeJS.ProcessEnv = process.env): Config {
  return readAll(environment, (reader) => ({
    addresses: readAddresses(reader),
    ports: readPorts(reader),
    database: readDatabase(reader),
    http: readHttp(reader),
    identity: readIdentity(reader),
    google: readGoogle(reader),
    mail: readMail(reader),
    monitor: readMonitor(reader),
    retention: readRetention(reader),
    calls: readCalls(reader),
    relay: readRelay(reader),
    push: readPush(reader),
    turn: readTurn(reader),
    neighbours: readNeighbours(reader),
    bus: readBus(reader),
    versions: readVersions(reader),
    state: readState(environment),
  }));
}

/** What `cli migrate` needs: the database and the role that may change it. @throws ConfigError */
export function loadMigrationConfig(environment: NodeJS.ProcessEnv = process.env) {
  return readAll(environment, (reader) => ({ ...readMigrationDatabase(reader), port: readPorts(reader).database }));
}
