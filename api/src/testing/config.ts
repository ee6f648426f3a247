import { type Config, loadConfig } from '../config/config.js';

/** An environment that is complete and valid, for tests to change. Its secrets open nothing. */
export const testEnvironment = {
  LOG_LEVEL: 'silent',
  XMPP_DOMAIN: 'veil.test',
  DB_PASSWORD: 'a-long-enough-word-for-tests',
  JWT_SECRET: 'jwt-0123456789abcdefghijklmnopqrstuvwxyz',
  NAME_SECRET: 'name-0123456789abcdefghijklmnopqrstuvwxyz',
  MESSAGE_SECRET: 'message-0123456789abcdefghijklmnopqrstuvw',
  INTERNAL_SECRET: 'internal-0123456789abcdefghijklmnopqrst',
  TURN_SECRET: 'turn-0123456789abcdef',
  XMPP_COMPONENT_SECRET: 'component-0123456789abcdef',
} satisfies NodeJS.ProcessEnv;

export const testConfig = (changes: NodeJS.ProcessEnv = {}): Config => loadConfig({ ...testEnvironment, ...changes });
