import type { Secret } from '../common/secret.js';
import {
  emailAddress,
  foreignSecretSetting,
  hostName,
  isLoopback,
  oneOf,
  port,
  type SettingReader,
  setting,
  text,
  textFile,
  url,
} from './setting.js';

const SECURITY = ['starttls', 'tls', 'none'] as const;

export const mailSettings = {
  SMTP_HOST: setting('SMTP_HOST', hostName, '', 'Mail server that takes the mails of the API. Empty: none are sent.'),
  SMTP_PORT: setting('SMTP_PORT', port, 587, 'Its port: 587 for STARTTLS, 465 for TLS from the first byte.'),
  SMTP_SECURITY: setting(
    'SMTP_SECURITY',
    oneOf(...SECURITY),
    'starttls',
    'How the connection to it is secured: starttls, tls, or, for a loopback address only, none.',
  ),
  SMTP_CA_FILE: setting(
    'SMTP_CA_FILE',
    textFile,
    '',
    'File with the certificate of the authority that signed its certificate, as PEM. Empty: the public ones.',
  ),
  SMTP_USER: setting('SMTP_USER', text, '', 'Name to log in with there. Empty: without login.'),
  SMTP_PASSWORD: foreignSecretSetting('SMTP_PASSWORD', 'Password of SMTP_USER. Optional.'),
  SMTP_FROM: setting('SMTP_FROM', emailAddress, '', 'Address that the mails come from. Required with SMTP_HOST.'),
  CODE_PAGE_URL: setting(
    'CODE_PAGE_URL',
    url('https:', 'http:'),
    '',
    'Page of a web client that takes one-time codes out of its fragment: CODE_PAGE_URL#reset_password=CODE or #verify_email=CODE. Empty: mails carry the code alone.',
  ),
};

export interface SmtpConfig {
  host: string;
  port: number;
  security: (typeof SECURITY)[number];
  /** PEM. Empty: the public authorities. */
  authority: string;
  login: { user: string; password: Secret } | null;
  from: string;
}

export interface MailConfig {
  /** Null: no mail is sent. */
  smtp: SmtpConfig | null;
  /** Empty: there is none. */
  codePageUrl: string;
}

export function readMail(reader: SettingReader): MailConfig {
  const host = reader.read(mailSettings.SMTP_HOST);
  const codePageUrl = reader.read(mailSettings.CODE_PAGE_URL);
  if (codePageUrl?.includes('#')) reader.faults.push('CODE_PAGE_URL must have no fragment: the code goes there');
  return { smtp: host ? readSmtp(host, reader) : null, codePageUrl };
}

function readSmtp(host: string, reader: SettingReader): SmtpConfig {
  const security = reader.read(mailSettings.SMTP_SECURITY);
  const from = reader.read(mailSettings.SMTP_FROM);
  if (from === '') reader.faults.push('SMTP_FROM must be set when SMTP_HOST is');
  if (security === 'none' && !isLoopback(host)) {
    reader.faults.push('SMTP_SECURITY none is for a loopback address only: mails carry codes that open accounts');
  }
  return {
    host,
    port: reader.read(mailSettings.SMTP_PORT),
    security,
    authority: reader.read(mailSettings.SMTP_CA_FILE),
    login: readLogin(reader),
    from,
  };
}

function readLogin(reader: SettingReader): SmtpConfig['login'] {
  const user = reader.read(mailSettings.SMTP_USER);
  const password = reader.read(mailSettings.SMTP_PASSWORD);
  if (user && password) return { user, password };
  if (user || password) reader.faults.push('SMTP_USER and SMTP_PASSWORD must be set together or not at all');
  return null;
}
