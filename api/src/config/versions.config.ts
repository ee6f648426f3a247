import { type SettingReader, setting, text } from './setting.js';

export const versionSettings = {
  SERVER_VERSION: setting('SERVER_VERSION', text, '1.0.0', 'Version told to clients by /server/info.'),
  MIN_CLIENT_VERSION: setting('MIN_CLIENT_VERSION', text, '1.0.0', 'Oldest client version that the server serves.'),
};

export interface Versions {
  server: string;
  minimumClient: string;
}

export function readVersions({ read }: SettingReader): Versions {
  return { server: read(versionSettings.SERVER_VERSION), minimumClient: read(versionSettings.MIN_CLIENT_VERSION) };
}
