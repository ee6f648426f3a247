import { Secret } from '../common/secret.js';
import { type Setting, type SettingReader, url } from './setting.js';

const { parse } = url('redis:', 'rediss:');

/** It may hold a password, and is therefore a secret: also accepted as REDIS_URL_FILE. */
const REDIS_URL: Setting<Secret | null> = {
  name: 'REDIS_URL',
  kind: { parse: (raw) => (parse(raw) === '' ? null : new Secret(raw)) },
  fallback: '',
  doc: 'Valkey or Redis that several API processes tell each other through, as redis://:password@host:6379 or rediss://. Empty: there is one process.',
  secret: true,
};

export const busSettings = { REDIS_URL };

export interface BusConfig {
  /** Null: this process is the only one. */
  url: Secret | null;
}

export const readBus = ({ read }: SettingReader): BusConfig => ({ url: read(REDIS_URL) });
