import type { Secret } from '../common/secret.js';
import { integer, type SettingReader, secretSetting, setting } from './setting.js';

const TEN_YEARS = 3650;

export const retentionSettings = {
  NAME_QUARANTINE_DAYS: setting(
    'NAME_QUARANTINE_DAYS',
    integer(0, TEN_YEARS),
    30,
    'How long the name of a deleted account stays taken, in days. 0 frees it at once.',
  ),
  NAME_SECRET: secretSetting(
    'NAME_SECRET',
    32,
    'Keys the hashes by which taken names of deleted accounts are known. A new one frees them all.',
  ),
};

export interface RetentionConfig {
  nameQuarantineDays: number;
  nameSecret: Secret;
}

export function readRetention({ read }: SettingReader): RetentionConfig {
  return {
    nameQuarantineDays: read(retentionSettings.NAME_QUARANTINE_DAYS),
    nameSecret: read(retentionSettings.NAME_SECRET),
  };
}
