import type { Secret } from '../common/secret.js';
import { integer, type SettingReader, secretSetting, setting } from './setting.js';

export const identitySettings = {
  TOKEN_TTL_SECONDS: setting(
    'TOKEN_TTL_SECONDS',
    integer(60, 2_592_000),
    86_400,
    'Life of an access token, in seconds.',
  ),
  JWT_SECRET: secretSetting('JWT_SECRET', 32, 'Signs access tokens (HS256).'),
};

export interface IdentityConfig {
  tokenTtlSeconds: number;
  jwtSecret: Secret;
}

export function readIdentity({ read }: SettingReader): IdentityConfig {
  return {
    tokenTtlSeconds: read(identitySettings.TOKEN_TTL_SECONDS),
    jwtSecret: read(identitySettings.JWT_SECRET),
  };
}
