import { createECDH, createPrivateKey, type KeyObject } from 'node:crypto';
import { Secret } from '../common/secret.js';
import {
  foreignSecretSetting,
  networkList,
  oneOf,
  optionalSecretSetting,
  type SettingReader,
  setting,
  text,
  textFile,
  url,
} from './setting.js';

export const pushSettings = {
  PUSH_SHOW_CALLER: setting(
    'PUSH_SHOW_CALLER',
    oneOf('on', 'off'),
    'off',
    "Whether a push says who calls. Off: Apple and Google don't learn it, and the app shows it once the call arrives.",
  ),
  APNS_KEY: foreignSecretSetting(
    'APNS_KEY',
    'Key (.p8) of an Apple developer account that may use APNs. None: iOS gets no pushes.',
  ),
  APNS_KEY_ID: setting('APNS_KEY_ID', text, '', 'Its id, ten characters. Required with APNS_KEY.'),
  APNS_TEAM_ID: setting(
    'APNS_TEAM_ID',
    text,
    '',
    'The team that it belongs to, ten characters. Required with APNS_KEY.',
  ),
  APNS_URL: setting(
    'APNS_URL',
    url('https:'),
    'https://api.push.apple.com',
    'APNs for apps of the App Store and TestFlight.',
  ),
  APNS_SANDBOX_URL: setting(
    'APNS_SANDBOX_URL',
    url('https:'),
    'https://api.sandbox.push.apple.com',
    'APNs for apps that are run from Xcode.',
  ),
  APNS_CA_FILE: setting(
    'APNS_CA_FILE',
    textFile,
    '',
    'File with the authority of both, as PEM. Empty: the public ones.',
  ),
  FCM_SERVICE_ACCOUNT: foreignSecretSetting(
    'FCM_SERVICE_ACCOUNT',
    'Key of a service account (JSON) of a Firebase project that may use FCM. None: Android gets no pushes.',
  ),
  FCM_URL: setting('FCM_URL', url('https:'), 'https://fcm.googleapis.com', 'FCM.'),
  FCM_TOKEN_URL: setting(
    'FCM_TOKEN_URL',
    url('https:'),
    'https://oauth2.googleapis.com/token',
    'Where Google gives access tokens for it.',
  ),
  FCM_CA_FILE: setting('FCM_CA_FILE', textFile, '', 'File with the authority of both, as PEM. Empty: the public ones.'),
  VAPID_PRIVATE_KEY: optionalSecretSetting(
    'VAPID_PRIVATE_KEY',
    43,
    'Key of P-256 that Web Push knows this server by: 32 bytes, as 64 hexadecimal digits or base64url. A new one ends all subscriptions.',
  ),
  VAPID_SUBJECT: setting(
    'VAPID_SUBJECT',
    url('mailto:', 'https:'),
    '',
    'Whom a web push service may turn to: mailto: or https:. Empty: https://XMPP_DOMAIN.',
  ),
  WEBPUSH_CA_FILE: setting(
    'WEBPUSH_CA_FILE',
    textFile,
    '',
    'File with the authority of web push services of your own, as PEM. Empty: the public ones.',
  ),
  WEBPUSH_PRIVATE_NETWORKS: setting(
    'WEBPUSH_PRIVATE_NETWORKS',
    networkList,
    '',
    'Private networks that web push services may be in, separated by commas. Empty: none, whatever a device says.',
  ),
};

export interface ApnsConfig {
  /** PKCS #8, P-256. */
  key: Secret;
  keyId: string;
  teamId: string;
  urls: { production: URL; sandbox: URL };
  /** PEM. Empty: the public authorities. */
  authority: string;
}

export interface FcmConfig {
  projectId: string;
  clientEmail: string;
  /** PKCS #8, RSA. */
  privateKey: Secret;
  url: URL;
  tokenUrl: string;
  authority: string;
}

export interface WebPushConfig {
  /** base64url, as RFC 8292 has them. */
  privateKey: Secret;
  publicKey: string;
  /** Empty: derived from the domain. */
  subject: string;
  authority: string;
  privateNetworks: string[];
}

/** A provider is null when the operator has not set it up. */
export interface PushConfig {
  showCaller: boolean;
  apns: ApnsConfig | null;
  fcm: FcmConfig | null;
  webpush: WebPushConfig | null;
}

export function readPush(reader: SettingReader): PushConfig {
  return {
    showCaller: reader.read(pushSettings.PUSH_SHOW_CALLER) === 'on',
    apns: readApns(reader),
    fcm: readFcm(reader),
    webpush: readWebPush(reader),
  };
}

function readApns(reader: SettingReader): ApnsConfig | null {
  const key = reader.read(pushSettings.APNS_KEY);
  const keyId = reader.read(pushSettings.APNS_KEY_ID);
  const teamId = reader.read(pushSettings.APNS_TEAM_ID);
  const production = reader.read(pushSettings.APNS_URL);
  const sandbox = reader.read(pushSettings.APNS_SANDBOX_URL);
  const authority = reader.read(pushSettings.APNS_CA_FILE);
  if (!key && !keyId && !teamId) return null;
  if (!key || !keyId || !teamId) {
    reader.faults.push('APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID must be set together or not at all');
    return null;
  }
  if (keyOf(key.reveal())?.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    reader.faults.push('APNS_KEY must be a private key as Apple gives it (.p8)');
  }
  if (!production || !sandbox) return null;
  return { key, keyId, teamId, urls: { production: new URL(production), sandbox: new URL(sandbox) }, authority };
}

function readFcm(reader: SettingReader): FcmConfig | null {
  const account = reader.read(pushSettings.FCM_SERVICE_ACCOUNT);
  const fcmUrl = reader.read(pushSettings.FCM_URL);
  const tokenUrl = reader.read(pushSettings.FCM_TOKEN_URL);
  const authority = reader.read(pushSettings.FCM_CA_FILE);
  if (!account) return null;
  const parts = accountOf(account.reveal());
  if (!parts) reader.faults.push('FCM_SERVICE_ACCOUNT must be the key of a service account as Google gives it (JSON)');
  return parts && fcmUrl ? { ...parts, url: new URL(fcmUrl), tokenUrl, authority } : null;
}

function accountOf(json: string): Pick<FcmConfig, 'projectId' | 'clientEmail' | 'privateKey'> | null {
  try {
    const { project_id, client_email, private_key } = JSON.parse(json) as Record<string, unknown>;
    const isComplete = [project_id, client_email].every((part) => typeof part === 'string' && part !== '');
    if (!isComplete || keyOf(String(private_key))?.asymmetricKeyType !== 'rsa') return null;
    return {
      projectId: String(project_id),
      clientEmail: String(client_email),
      privateKey: new Secret(String(private_key)),
    };
  } catch {
    return null;
  }
}

function keyOf(pem: string): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

function readWebPush(reader: SettingReader): WebPushConfig | null {
  const secret = reader.read(pushSettings.VAPID_PRIVATE_KEY);
  const subject = reader.read(pushSettings.VAPID_SUBJECT);
  const authority = reader.read(pushSettings.WEBPUSH_CA_FILE);
  const privateNetworks = reader.read(pushSettings.WEBPUSH_PRIVATE_NETWORKS);
  if (!secret) return null;
  const keys = vapidKeysOf(secret.reveal());
  if (!keys) reader.faults.push('VAPID_PRIVATE_KEY must be a private key of P-256, 64 hexadecimal digits or base64url');
  return keys && { ...keys, subject, authority, privateNetworks };
}

/** The two keys, as RFC 8292 writes them, of a private one. */
function vapidKeysOf(text: string): Pick<WebPushConfig, 'privateKey' | 'publicKey'> | null {
  const bytes = Buffer.from(text, /^[0-9a-f]{64}$/i.test(text) ? 'hex' : 'base64url');
  if (bytes.length !== 32) return null;
  const pair = createECDH('prime256v1');
  try {
    pair.setPrivateKey(bytes);
  } catch {
    return null;
  }
  return { privateKey: new Secret(bytes.toString('base64url')), publicKey: pair.getPublicKey('base64url') };
}
