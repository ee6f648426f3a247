import type { Secret } from '../common/secret.js';
import { integer, type SettingReader, secretSetting, setting, zeroOr } from './setting.js';

const TEN_YEARS = 3650;

export const retentionSettings = {
  NAME_QUARANTINE_DAYS: setting(
    'NAME_QUARANTINE_DAYS',
    integer(0, TEN_YEARS),
    30,
    'How long the name of a deleted account stays taken, in days. 0 frees it at once.',
  ),
  CHAT_ARCHIVE_DAYS: setting(
    'CHAT_ARCHIVE_DAYS',
    integer(0, TEN_YEARS),
    0,
    'How long messages stay in the archive, in days. 0: until their account or group is deleted.',
  ),
  CHAT_OFFLINE_DAYS: setting(
    'CHAT_OFFLINE_DAYS',
    integer(0, TEN_YEARS),
    90,
    'How long messages wait for an account that does not log in, in days; not longer than they are archived. 0: as long as those.',
  ),
  UPLOAD_DAYS: setting(
    'UPLOAD_DAYS',
    integer(0, TEN_YEARS),
    365,
    'How long uploaded files are kept, in days. 0: until their account is deleted.',
  ),
  UPLOAD_QUOTA_MB: setting(
    'UPLOAD_QUOTA_MB',
    zeroOr(100, 10_000_000),
    1000,
    "How much an account's files may take together, in MB, at least 100; the oldest go for a new one. 0: as much as there is.",
  ),
  CALL_HISTORY_DAYS: setting(
    'CALL_HISTORY_DAYS',
    integer(0, TEN_YEARS),
    90,
    'How long calls stay in the history of who has called and who was called, in days. 0: until their accounts are deleted.',
  ),
  RELAY_HISTORY_DAYS: setting(
    'RELAY_HISTORY_DAYS',
    integer(0, TEN_YEARS),
    90,
    'How long relayed messages stay in the history of their account, in days. 0: until it is deleted.',
  ),
  RELAY_HISTORY_MB: setting(
    'RELAY_HISTORY_MB',
    zeroOr(100, 10_000_000),
    500,
    "How much an account's relayed messages may take in the database, in MB, at least 100; the oldest go for new ones. 0: as much as there is.",
  ),
  NAME_SECRET: secretSetting(
    'NAME_SECRET',
    32,
    'Keys the hashes by which taken names of deleted accounts are known. A new one frees them all.',
  ),
};

export interface RetentionConfig {
  nameQuarantineDays: number;
  /** 0 keeps them, as the others. */
  chatArchiveDays: number;
  chatOfflineDays: number;
  uploadDays: number;
  uploadQuotaMb: number;
  callHistoryDays: number;
  relayHistoryDays: number;
  relayHistoryMb: number;
  nameSecret: Secret;
}

export function readRetention({ read }: SettingReader): RetentionConfig {
  return {
    nameQuarantineDays: read(retentionSettings.NAME_QUARANTINE_DAYS),
    chatArchiveDays: read(retentionSettings.CHAT_ARCHIVE_DAYS),
    chatOfflineDays: read(retentionSettings.CHAT_OFFLINE_DAYS),
    uploadDays: read(retentionSettings.UPLOAD_DAYS),
    uploadQuotaMb: read(retentionSettings.UPLOAD_QUOTA_MB),
    callHistoryDays: read(retentionSettings.CALL_HISTORY_DAYS),
    relayHistoryDays: read(retentionSettings.RELAY_HISTORY_DAYS),
    relayHistoryMb: read(retentionSettings.RELAY_HISTORY_MB),
    nameSecret: read(retentionSettings.NAME_SECRET),
  };
}
