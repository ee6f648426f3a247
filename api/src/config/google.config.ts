import { type SettingReader, setting, url, wordList } from './setting.js';

export const googleSettings = {
  GOOGLE_CLIENT_IDS: setting(
    'GOOGLE_CLIENT_IDS',
    wordList,
    '',
    'OAuth client ids of the apps whose Google sign-in is accepted, separated by commas. Empty: no Google sign-in.',
  ),
  GOOGLE_KEYS_URL: setting(
    'GOOGLE_KEYS_URL',
    url('http:', 'https:'),
    'https://www.googleapis.com/oauth2/v3/certs',
    'Where Google publishes the keys of its ID tokens. Plain HTTP is accepted for a loopback address only.',
  ),
};

export interface GoogleConfig {
  /** Empty: sign-in with Google is off. */
  clientIds: string[];
  keysUrl: string;
}

export function readGoogle(reader: SettingReader): GoogleConfig {
  const keysUrl = reader.read(googleSettings.GOOGLE_KEYS_URL);
  reader.requireTls(googleSettings.GOOGLE_KEYS_URL, keysUrl, 'whoever changes the keys can sign in as anybody');
  return { clientIds: reader.read(googleSettings.GOOGLE_CLIENT_IDS), keysUrl };
}
