import type { Secret } from '../common/secret.js';
import { integer, oneOf, optionalSecretSetting, type SettingReader, secretSetting, setting } from './setting.js';

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
  REFRESH_TTL_SECONDS: setting(
    'REFRESH_TTL_SECONDS',
    integer(3600, 31_536_000),
    7_776_000,
    'How long a session lasts without being refreshed, in seconds.',
  ),
  JWT_SECRET: secretSetting('JWT_SECRET', 32, 'Signs access tokens (HS256).'),
  JWT_PREVIOUS_SECRET: optionalSecretSetting(
    'JWT_PREVIOUS_SECRET',
    32,
    'The JWT_SECRET before this one, whose tokens are still accepted. Empty: none.',
  ),
};

export interface IdentityConfig {
  registration: RegistrationMode;
  tokenTtlSeconds: number;
  refreshTtlSeconds: number;
  /** What signs and seals, then what did before it. */
  secrets: Secret[];
}

export function readIdentity({ read }: SettingReader): IdentityConfig {
  const previous = read(identitySettings.JWT_PREVIOUS_SECRET);
  return {
    registration: read(identitySettings.REGISTRATION),
    tokenTtlSeconds: read(identitySettings.TOKEN_TTL_SECONDS),
    refreshTtlSeconds: read(identitySettings.REFRESH_TTL_SECONDS),
    secrets: [read(identitySettings.JWT_SECRET), ...(previous ? [previous] : [])],
  };
}
