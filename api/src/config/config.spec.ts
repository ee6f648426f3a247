import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { testEnvironment } from '../testing/config.js';
import { ConfigError, loadConfig } from './config.js';

function faultsOf(environment: NodeJS.ProcessEnv): readonly string[] {
  try {
    loadConfig(environment);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
}

describe('the settings', () => {
  it('need nothing but secrets; names follow the domain', () => {
    const { XMPP_DOMAIN, ...secrets } = testEnvironment;
    expect(loadConfig(secrets).addresses).toMatchObject({ xmppDomain: 'localhost', sipDomain: 'localhost' });
    expect(loadConfig({ ...secrets, XMPP_DOMAIN }).addresses).toMatchObject({
      xmppHost: 'veil.test',
      sipDomain: 'veil.test',
      turnDomain: 'veil.test',
      uploadDomain: 'veil.test',
    });
  });

  it('name every fault at once and no value', () => {
    const faults = faultsOf({
      ...testEnvironment,
      API_PORT: '70000',
      JWT_SECRET: 'tiny',
      TURN_SECRET: undefined,
      XMPP_DOMAIN: 'Not A Domain',
      LOG_LEVEL: 'loud',
    });
    expect(faults.map((fault) => fault.split(' ')[0]).sort()).toEqual([
      'API_PORT',
      'JWT_SECRET',
      'LOG_LEVEL',
      'TURN_SECRET',
      'XMPP_DOMAIN',
    ]);
    expect(faults.join()).not.toMatch(/70000|tiny|Not A Domain|loud/);
  });

  it.each(['change-me-change-me-change-me-change-me', 'x'.repeat(64), 'example-secret-example-secret-example'])(
    'refuse the example secret %s',
    (secret) => {
      expect(faultsOf({ ...testEnvironment, JWT_SECRET: secret })).toEqual([
        'JWT_SECRET must be a generated secret, not an example',
      ]);
    },
  );

  it('take a secret with any characters from a file, without its last line break', () => {
    const file = path.join(mkdtempSync(path.join(tmpdir(), 'veil-')), 'turn');
    const value = ` q"u'o\\te & / $HOME \`x\` é `;
    writeFileSync(file, `${value}\n`);
    const config = loadConfig({ ...testEnvironment, TURN_SECRET: '', TURN_SECRET_FILE: file });
    expect(config.turn.secret.reveal()).toBe(value);
  });

  it('refuse passwords over plain HTTP to another machine', () => {
    expect(faultsOf({ ...testEnvironment, XMPP_API_URL: 'http://ejabberd:5281' })).toHaveLength(1);
    expect(faultsOf({ ...testEnvironment, XMPP_API_URL: 'https://ejabberd:5281' })).toEqual([]);
    expect(faultsOf({ ...testEnvironment, XMPP_API_URL: 'http://127.0.0.1:5281' })).toEqual([]);
    const own = { ...testEnvironment, INTERNAL_NETWORK: '10.1.2.0/24' };
    expect(faultsOf({ ...own, XMPP_API_URL: 'http://10.1.2.3:5281' })).toEqual([]);
    for (const host of ['10.1.3.3', 'ejabberd', '8.8.8.8']) {
      expect(faultsOf({ ...own, XMPP_API_URL: `http://${host}:5281` })).toHaveLength(1);
    }
    for (const network of ['10.1.2.0', '10.1.2.0/33', 'all/8', '::/0', '']) {
      const faults = faultsOf({ ...testEnvironment, INTERNAL_NETWORK: network });
      expect(faults).toEqual(network === '' ? [] : ['INTERNAL_NETWORK must be a network, a.b.c.d/n']);
    }
  });

  it('refuse keys of Google over plain HTTP from another machine, and split the list of client ids', () => {
    expect(faultsOf({ ...testEnvironment, GOOGLE_KEYS_URL: 'http://keys.test/certs' })).toHaveLength(1);
    const config = loadConfig({
      ...testEnvironment,
      GOOGLE_CLIENT_IDS: ' a.apps, b.apps,,',
      GOOGLE_KEYS_URL: 'http://[::1]:1/',
    });
    expect(config.google).toEqual({ clientIds: ['a.apps', 'b.apps'], keysUrl: 'http://[::1]:1/' });
  });

  describe('of the mail server', () => {
    const mail = { ...testEnvironment, SMTP_HOST: 'mail.example.org', SMTP_FROM: 'Veil@Example.org' };

    it('are off without a host, and need a sender with one', () => {
      expect(loadConfig(testEnvironment).mail.smtp).toBeNull();
      expect(faultsOf({ ...mail, SMTP_FROM: '' })).toEqual(['SMTP_FROM must be set when SMTP_HOST is']);
      expect(loadConfig(mail).mail.smtp).toMatchObject({
        port: 587,
        security: 'starttls',
        from: 'veil@example.org',
        login: null,
      });
    });

    it('allow no plain connection to another machine', () => {
      expect(faultsOf({ ...mail, SMTP_SECURITY: 'none' })).toHaveLength(1);
      expect(faultsOf({ ...mail, SMTP_HOST: '127.0.0.9', SMTP_SECURITY: 'none' })).toEqual([]);
    });

    it('take any password, but not without a name', () => {
      expect(faultsOf({ ...mail, SMTP_PASSWORD: 'x' })).toHaveLength(1);
      expect(faultsOf({ ...mail, SMTP_USER: 'x' })).toHaveLength(1);
      const { smtp } = loadConfig({ ...mail, SMTP_USER: 'x', SMTP_PASSWORD: 'secret' }).mail;
      expect(smtp?.login?.password.reveal()).toBe('secret');
      expect(JSON.stringify(smtp)).not.toContain('"secret"');
    });

    it('name a file that is there, and a page without a fragment', () => {
      expect(faultsOf({ ...mail, SMTP_CA_FILE: '/nowhere.pem' })).toHaveLength(1);
      expect(faultsOf({ ...mail, CODE_PAGE_URL: 'https://web.test/#/codes' })).toHaveLength(1);
    });
  });

  it('print no secret, however they are printed', () => {
    const config = loadConfig(testEnvironment);
    expect(JSON.stringify(config)).not.toContain(testEnvironment.JWT_SECRET);
    expect(`${config.identity.secrets[0]}`).toBe('[redacted]');
  });
});
