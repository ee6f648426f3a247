import type { Secret } from '../common/secret.js';
import { integer, optionalSecretSetting, type SettingReader, secretSetting, setting } from './setting.js';

const DAY = 86_400;

export const relaySettings = {
  RELAY_CALL_SECONDS: setting(
    'RELAY_CALL_SECONDS',
    integer(1, 3600),
    30,
    'How long a command to call, and news of calls, wait for a phone that is offline, in seconds.',
  ),
  RELAY_HANG_UP_SECONDS: setting(
    'RELAY_HANG_UP_SECONDS',
    integer(1, 3600),
    10,
    'The same for a command to hang up, in seconds.',
  ),
  RELAY_QUERY_SECONDS: setting(
    'RELAY_QUERY_SECONDS',
    integer(1, DAY),
    60,
    'The same for a question about SIM cards, and its answer, in seconds.',
  ),
  RELAY_SMS_SECONDS: setting(
    'RELAY_SMS_SECONDS',
    integer(1, 30 * DAY),
    DAY,
    'The same for text messages to be sent, and those that came in, in seconds.',
  ),
  RELAY_QUEUE_MAX: setting(
    'RELAY_QUEUE_MAX',
    integer(1, 5000),
    500,
    'How many commands may wait for one device, up to 5000. One more is refused.',
  ),
  MESSAGE_SECRET: secretSetting(
    'MESSAGE_SECRET',
    32,
    'Seals the numbers and texts of relayed messages in the database. Without it nobody can read them.',
  ),
  MESSAGE_PREVIOUS_SECRET: optionalSecretSetting(
    'MESSAGE_PREVIOUS_SECRET',
    32,
    'The MESSAGE_SECRET before this one, whose messages can still be read. Empty: none.',
  ),
};

/** How long something waits for a device that is offline, by what it is about; in seconds. */
export interface RelayLifetimes {
  call: number;
  hangUp: number;
  query: number;
  sms: number;
}

export interface RelayConfig {
  lifetimes: RelayLifetimes;
  /** Commands that may wait for one device. */
  queueMax: number;
  /** What seals, then what did before it. */
  secrets: Secret[];
}

export function readRelay({ read }: SettingReader): RelayConfig {
  const previous = read(relaySettings.MESSAGE_PREVIOUS_SECRET);
  return {
    lifetimes: {
      call: read(relaySettings.RELAY_CALL_SECONDS),
      hangUp: read(relaySettings.RELAY_HANG_UP_SECONDS),
      query: read(relaySettings.RELAY_QUERY_SECONDS),
      sms: read(relaySettings.RELAY_SMS_SECONDS),
    },
    queueMax: read(relaySettings.RELAY_QUEUE_MAX),
    secrets: [read(relaySettings.MESSAGE_SECRET), ...(previous ? [previous] : [])],
  };
}
