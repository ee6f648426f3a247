import { emailAddresses, integer, type SettingReader, setting, url } from './setting.js';

export const monitorSettings = {
  ALERT_EMAIL: setting(
    'ALERT_EMAIL',
    emailAddresses,
    '',
    'Addresses, separated by commas, that are told when a server goes down and when it is back, of certificates that end and of a full disk. Needs SMTP_HOST. Empty: nobody looks.',
  ),
  ALERT_COOLDOWN_SECONDS: setting(
    'ALERT_COOLDOWN_SECONDS',
    integer(0, 86_400),
    300,
    'A server that goes down again within this time after the last mail about it is told of only then.',
  ),
  MONITOR_SECONDS: setting('MONITOR_SECONDS', integer(1, 3600), 60, 'How often the servers are looked at.'),
  MONITOR_API_URL: setting(
    'MONITOR_API_URL',
    url('http:', 'https:'),
    '',
    'Where the API is looked at. Empty: http://BIND_ADDRESS:API_PORT.',
  ),
};

export interface MonitorConfig {
  /** In their normal form. Empty: nobody looks. */
  recipients: string[];
  cooldownMs: number;
  intervalMs: number;
  /** Empty: on this machine. */
  apiUrl: string;
}

export function readMonitor(reader: SettingReader): MonitorConfig {
  return {
    recipients: reader.read(monitorSettings.ALERT_EMAIL),
    cooldownMs: reader.read(monitorSettings.ALERT_COOLDOWN_SECONDS) * 1000,
    intervalMs: reader.read(monitorSettings.MONITOR_SECONDS) * 1000,
    apiUrl: reader.read(monitorSettings.MONITOR_API_URL),
  };
}
