import type { Secret } from '../common/secret.js';
import { integer, type SettingReader, secretSetting, setting } from './setting.js';

export const turnSettings = {
  TURN_TTL_SECONDS: setting('TURN_TTL_SECONDS', integer(60, 604_800), 86_400, 'Life of TURN credentials, in seconds.'),
  TURN_SECRET: secretSetting('TURN_SECRET', 16, 'Shared by the API, ejabberd and coturn for TURN credentials.'),
};

export interface TurnConfig {
  ttlSeconds: number;
  secret: Secret;
}

export function readTurn({ read }: SettingReader): TurnConfig {
  return { ttlSeconds: read(turnSettings.TURN_TTL_SECONDS), secret: read(turnSettings.TURN_SECRET) };
}
