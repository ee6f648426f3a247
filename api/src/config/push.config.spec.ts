import { createECDH, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { testConfig } from '../testing/config.js';

const pem = { type: 'pkcs8', format: 'pem' } as const;
const p8 = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export(pem).toString();
const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export(pem).toString();
const account = { project_id: 'veil', client_email: 'a@veil.iam.gserviceaccount.com', private_key: rsa };
const apns = { APNS_KEY: p8, APNS_KEY_ID: 'ABC123DEFG', APNS_TEAM_ID: 'DEF123GHIJ' };

describe('push settings', () => {
  it('leave every provider out that is not set up', () => {
    expect(testConfig().push).toEqual({ showCaller: false, apns: null, fcm: null, webpush: null });
  });

  it('read keys as Apple and Google give them', () => {
    const { push } = testConfig({ ...apns, FCM_SERVICE_ACCOUNT: JSON.stringify(account), PUSH_SHOW_CALLER: 'on' });
    expect(push).toMatchObject({
      showCaller: true,
      apns: { keyId: 'ABC123DEFG', teamId: 'DEF123GHIJ', authority: '' },
      fcm: { projectId: 'veil', clientEmail: account.client_email, tokenUrl: 'https://oauth2.googleapis.com/token' },
    });
    expect(push.apns?.urls.sandbox.hostname).toBe('api.sandbox.push.apple.com');
    expect(JSON.stringify(push)).not.toContain('PRIVATE KEY');
  });

  it('make both keys of Web Push from one, in either writing', () => {
    const pair = createECDH('prime256v1');
    pair.generateKeys();
    const bytes = pair.getPrivateKey();
    // Leading zeros are left out by Node.
    const whole = Buffer.concat([Buffer.alloc(32 - bytes.length), bytes]);
    for (const VAPID_PRIVATE_KEY of [whole.toString('hex'), whole.toString('base64url')]) {
      const { webpush } = testConfig({ VAPID_PRIVATE_KEY }).push;
      expect(webpush?.publicKey).toBe(pair.getPublicKey('base64url'));
      expect(webpush?.privateKey.reveal()).toBe(whole.toString('base64url'));
    }
  });

  it.each([
    [{ ...apns, APNS_KEY_ID: '' }, 'APNS_KEY, APNS_KEY_ID and APNS_TEAM_ID must be set together'],
    [{ APNS_TEAM_ID: 'DEF123GHIJ' }, 'must be set together'],
    [{ ...apns, APNS_KEY: 'no key' }, 'APNS_KEY must be a private key as Apple gives it'],
    [{ ...apns, APNS_KEY: rsa }, 'APNS_KEY must be a private key as Apple gives it'],
    [{ ...apns, APNS_URL: 'http://api.push.apple.com' }, 'APNS_URL must be a URL with https:'],
    [{ FCM_SERVICE_ACCOUNT: '{' }, 'FCM_SERVICE_ACCOUNT must be the key of a service account'],
    [{ FCM_SERVICE_ACCOUNT: 'null' }, 'FCM_SERVICE_ACCOUNT must be'],
    [{ FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, private_key: p8 }) }, 'FCM_SERVICE_ACCOUNT must be'],
    [{ FCM_SERVICE_ACCOUNT: JSON.stringify({ ...account, project_id: '' }) }, 'FCM_SERVICE_ACCOUNT must be'],
    [{ VAPID_PRIVATE_KEY: `${'0'.repeat(63)}g` }, 'VAPID_PRIVATE_KEY must be'],
    [{ VAPID_PRIVATE_KEY: 'f'.repeat(64) }, 'VAPID_PRIVATE_KEY must be'],
    [{ VAPID_SUBJECT: 'me' }, 'VAPID_SUBJECT must be a URL'],
    [{ WEBPUSH_PRIVATE_NETWORKS: 'lan' }, 'WEBPUSH_PRIVATE_NETWORKS must be IP addresses'],
    [{ APNS_CA_FILE: '/nowhere' }, 'APNS_CA_FILE names a file that cannot be read'],
  ])('name what is wrong: %#', (settings, fault) => {
    expect(() => testConfig(settings)).toThrow(fault);
  });
});
