import type { Secret } from '../common/secret.js';
import { integer, oneOf, type SettingReader, secretSetting, setting } from './setting.js';

const REGISTRATION_MODES = ['open', 'invite', 'closed'] as const;

export type RegistrationMode = (typeof REGISTRATION_MODES)[number];

export const identitySettings = {
  REGISTRATION: setting(
    'REGISTRATION',
    oneOf(...REGISTRATION_MODES),
    'open',
    'Who may make an account: open (anybody), invite (whoever has an invite code), closed (the operator).',
  ),
  TOKEN_TTL_SECONDS: setting(
    'TOKEN_TTL_SECONDS',
    integer(60, 2_592_000),
    86_400,
    'Life of an access token, in seconds.',
  ),
  JWT_SECRET: secretSetting('JWT_SECRET', 32, 'Signs access tokens (HS256).'),
};

export interface IdentityConfig {
  registration: RegistrationMode;
  tokenTtlSeconds: number;
  jwtSecret: Secret;
}

export function readIdentity({ read }: SettingReader): IdentityConfig {
  return {
    registration: read(identitySettings.REGISTRATION),
    tokenTtlSeconds: read(identitySettings.TOKEN_TTL_SECONDS),
    jwtSecret: read(identitySettings.JWT_SECRET),
  };
}
