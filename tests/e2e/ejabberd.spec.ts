/**
 * What ejabberd must never do, each pinned because it once did or does by default: tell passwords to its log, let a
 * client register or make rooms, answer admin commands to whoever asks, talk to other servers.
 */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { Agent } from 'node:http';
import path from 'node:path';
import { connect as connectTls, type SecureVersion } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import axios from 'axios';
import { type Account, apiClient, registerAccount, uniqueName } from '../support/api.js';
import { breakConnectionOfEjabberd } from '../support/databases.js';
import { affiliationsOf, ejabberd } from '../support/ejabberd.js';
import { https } from '../support/https.js';
import { certificateAuthority, platform, secret } from '../support/platform.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';
import { XmppStream, XmppWebSocket } from '../support/xmpp-stream.js';

const { ports, domain } = platform;

let alice: Account;

beforeAll(async () => {
  alice = await registerAccount('alice');
});

afterAll(closeXmppClients);

describe('the logs of the platform', () => {
  const newPassword = (): string => `Secret-${randomBytes(9).toString('hex')}`;

  /** Every log that a server of the platform has written, joined. */
  async function logs(): Promise<string> {
    const folders = [path.join(platform.directory, 'log'), path.join(platform.directory, 'ejabberd', 'run', 'log')];
    const files = await Promise.all(
      folders.map(async (folder) => (await readdir(folder)).map((name) => path.join(folder, name))),
    );
    return (await Promise.all(files.flat().map((file) => readFile(file, 'utf8')))).join('\n');
  }

  it('hold no password, however it came: register, login, change, refusal', async () => {
    const username = `mallory_${randomBytes(5).toString('hex')}`;
    const [first, wrong, changed, refused] = [newPassword(), newPassword(), newPassword(), newPassword()];
    const account = { user: username, host: domain };
    const api = apiClient();
    await api.post('/account/register', { username, password: first });
    await api.post('/account/register', { username, password: refused });
    await api.post('/account/login', { username, password: first });
    await api.post('/account/login', { username, password: wrong });
    await ejabberd('change_password', { ...account, newpass: changed });
    await ejabberd('register', { ...account, password: refused });
    await ejabberd('register', { ...account, user: 'not a name', password: refused });
    await ejabberd('check_password', { ...account, password: refused, surplus: true });
    await ejabberd('set_password', { ...account, password: refused });
    const jid = `${username}@${domain}`;
    await (await XmppClient.connect({ jid, password: changed })).close();
    await expect(XmppClient.connect({ jid, password: wrong })).rejects.toThrow(/^not-authorized/);

    // The refusal stands in the log by then, so everything before it does too.
    const written = await until('the refused login is logged', async () => {
      const text = await logs();
      return text.includes(`for ${jid}`) && text;
    });
    for (const password of [first, wrong, changed, refused]) {
      expect(written).not.toContain(password);
      expect(written).not.toContain(Buffer.from(password).toString('base64'));
    }
  });

  it('hold no secret of the platform, not even when a connection to the database breaks', async () => {
    const complaints = (text: string): number => text.split('connection failed').length;
    const before = complaints(await logs());
    await breakConnectionOfEjabberd();
    const written = await until('ejabberd complains', async () => {
      const text = await logs();
      return complaints(text) > before && text;
    });
    const names = await readdir(path.join(platform.directory, 'secrets'));
    expect(names).toContain('db_ejabberd_password');
    for (const name of names) expect(written).not.toContain(secret(name));
  });
});

describe('the admin API', () => {
  it('carries out no command but those that the API needs', async () => {
    expect((await ejabberd('status')).status).toBe(200);
    const refused: [command: string, args: Record<string, unknown>][] = [
      ['registered_users', { host: domain }],
      ['connected_users', {}],
      ['stop', {}],
      ['srg_create', { group: 'all', host: domain, label: 'all', description: '', display: 'all' }],
      ['ban_account', { user: alice.username, host: domain, reason: 'none' }],
      ['send_message', { type: 'chat', from: alice.jid, to: alice.jid, subject: '', body: 'forged' }],
      ['get_last', { user: alice.username, host: domain }],
      ['dump_table', { file: '/tmp/users', table: 'users' }],
    ];
    for (const [command, args] of refused) {
      const { status, data } = await ejabberd(command, args);
      expect([command, status, data.code]).toEqual([command, 403, 32]);
    }
  });

  it('verifies passwords as ejabberd itself does', async () => {
    const spaced = { username: uniqueName('spaced'), password: 'soft\u00adhyphen \u2168 \u00e4' };
    expect((await apiClient().post('/account/register', spaced)).status).toBe(201);
    const tries: [user: string, host: string, password: string, expected: number][] = [
      [alice.username, domain, alice.password, 0],
      [alice.username.toUpperCase(), domain, alice.password, 0],
      [alice.username, domain, `${alice.password}x`, 1],
      [alice.username, domain, '', 1],
      [alice.username, domain, 'a\u0000b', 1],
      // SASLprep (RFC 4013): what looks the same is the same.
      [spaced.username, domain, spaced.password, 0],
      [spaced.username, domain, 'softhyphen IX a\u0308', 0],
      [uniqueName('nobody'), domain, alice.password, 1],
      ['not a name', domain, alice.password, 1],
      [alice.username, 'elsewhere.test', alice.password, 1],
    ];
    for (const [user, host, password, expected] of tries) {
      // One after the other: of two at once about a host that it does not serve, ejabberd may fail one.
      const theirs = await ejabberd('check_password', { user, host, password });
      const ours = await ejabberd('verify_password', { user, host, password });
      expect([user, password, theirs.data, ours.data]).toEqual([user, password, expected, expected]);
    }
  });

  it('answers to nobody but its own address, whatever a header says', async () => {
    const address = '127.0.0.9';
    const from = (headers: Record<string, string>) =>
      axios.post(`http://127.0.0.1:${ports.xmppApi}/api/v0/status`, '{}', {
        httpAgent: new Agent({ localAddress: address }),
        headers: { host: domain, ...headers },
        proxy: false,
        validateStatus: () => true,
      });
    expect((await from({})).status).toBe(403);
    expect((await from({ 'x-forwarded-for': '127.0.0.1' })).status).toBe(403);
  });

  it('is not on the public listeners', async () => {
    for (const port of [ports.xmppWs, ports.xmppHttps]) {
      for (const where of ['api/v0/status', 'api/status', 'admin/', 'register/', 'oauth/token']) {
        const answer = await https.post(`https://${domain}:${port}/${where}`, '{}');
        expect([where, answer.status]).toEqual([where, 404]);
      }
    }
  });
});

describe('a client', () => {
  const REGISTER = 'jabber:iq:register';

  it('cannot register an account, before login or after', async () => {
    const stream = XmppStream.connect();
    await stream.open();
    await stream.startTls();
    expect(await stream.open()).not.toContain('register');
    stream.write(`<iq type='get' id='r1'><query xmlns='${REGISTER}'/></iq>`);
    const [, condition] = await stream.read(/<stream:error><([\w-]+)|<error[^>]*><([\w-]+)/);
    expect(condition).toBe('not-authorized');
    stream.close();

    const client = await XmppClient.connect(alice);
    const query = `<query xmlns="${REGISTER}"><username>eve</username><password>12345678</password></query>`;
    await expect(client.iq('set', query, domain)).rejects.toThrow(/^service-unavailable/);
    await client.close();
  });

  it('cannot change its password past the API, which keeps the phone in step', async () => {
    const client = await XmppClient.connect(alice);
    const query = `<query xmlns="${REGISTER}"><username>${alice.username}</username><password>87654321</password></query>`;
    await expect(client.iq('set', query, domain)).rejects.toThrow(/^service-unavailable/);
    await client.close();
  });

  it('cannot create a room', async () => {
    const client = await XmppClient.connect(alice);
    const room = `mine_${randomBytes(5).toString('hex')}@muc.${domain}`;
    await expect(client.join(room)).rejects.toThrow(/^(not-allowed|forbidden)/);
    expect(await affiliationsOf(room)).toBeUndefined();
    await client.close();
  });

  it('cannot write to other servers', async () => {
    const client = await XmppClient.connect(alice);
    await client.send('somebody@elsewhere.example', 'Is anybody there?');
    const answer = await client.received('a refusal', (message) => message.type === 'error');
    expect(answer.xml).toMatch(/<(\w+:)?(not-allowed|forbidden)/);
    await client.close();
  });

  it('is not told what runs here', async () => {
    const client = await XmppClient.connect(alice);
    await expect(client.iq('get', '<query xmlns="jabber:iq:version"/>', domain)).rejects.toThrow(
      /^service-unavailable/,
    );
    await client.close();
  });

  it('cannot go below TLS 1.2', async () => {
    const handshake = (version: SecureVersion): Promise<string | null> =>
      new Promise((resolve, reject) => {
        const to = { host: platform.host, port: ports.xmppTls, servername: domain, ca: certificateAuthority() };
        // Security level 0: Node's own refusal of the old versions would prove nothing.
        const socket = connectTls({ ...to, minVersion: version, maxVersion: version, ciphers: 'ALL:@SECLEVEL=0' });
        socket.once('secureConnect', () => {
          resolve(socket.getProtocol());
          socket.destroy();
        });
        socket.once('error', reject);
      });
    await expect(handshake('TLSv1.2')).resolves.toBe('TLSv1.2');
    await expect(handshake('TLSv1.1')).rejects.toThrow();
    await expect(handshake('TLSv1')).rejects.toThrow();
  });

  it('is cut off for a stanza beyond reason', async () => {
    const client = await XmppClient.connect(alice);
    await client.send(alice.jid, 'x'.repeat(300_000));
    expect(await client.ended()).toBe('policy-violation');
  });
});

describe('a suspended account', () => {
  const streams = {
    'a socket': async () => {
      const stream = XmppStream.connect();
      await stream.open();
      await stream.startTls();
      return stream;
    },
    'a WebSocket': () => XmppWebSocket.connect(ports.xmppWs),
  };

  /** The condition with which a login is refused after the right password, or null. */
  async function login(connect: () => Promise<XmppStream | XmppWebSocket>, { username, password }: Account) {
    const stream = await connect();
    try {
      await stream.open();
      expect(await stream.authenticate(username, password)).toBeNull();
      await stream.open();
      return await stream.bind('story');
    } finally {
      stream.close();
    }
  }

  it.each(Object.entries(streams))(
    'opens no stream over %s until it is resumed, and keeps its password',
    async (_, connect) => {
      const account = await registerAccount('suspended');
      const member = { user: account.username, host: domain, group: 'suspended', grouphost: domain };
      expect(await login(connect, account)).toBeNull();
      await ejabberd('srg_user_add', member);
      expect(await login(connect, account)).toBe('not-allowed');
      await ejabberd('srg_user_del', member);
      expect(await login(connect, account)).toBeNull();
    },
  );

  it('gets nothing into its roster by it', async () => {
    const [one, other] = await Promise.all([registerAccount('suspended'), registerAccount('suspended')]);
    const client = await XmppClient.connect(one);
    for (const { username } of [one, other]) {
      await ejabberd('srg_user_add', { user: username, host: domain, group: 'suspended', grouphost: domain });
    }
    expect(await client.contacts()).toEqual([]);
    expect(client.presences.filter(({ from }) => from?.startsWith(other.jid))).toEqual([]);
    await client.close();
  });
});

describe('guessing passwords', () => {
  it('gets an address banned, and no other one', async () => {
    // Any address of 127.0.0.0/8 but this machine's own: that one is never banned.
    const [a, b, c] = randomBytes(3);
    const guesser = `127.${a}.${b}.${(c! % 200) + 10}`;
    const attempt = async (): Promise<string | null> => {
      const stream = XmppStream.connect({ from: guesser });
      try {
        await stream.open();
        await stream.startTls();
        await stream.open();
        return await stream.authenticate(alice.username, 'not the password');
      } finally {
        stream.close();
      }
    };
    for (let guess = 1; guess < 10; guess += 1) expect(await attempt()).toBe('not-authorized');
    await expect(attempt()).rejects.toThrow(/policy-violation/);
    const { session } = await XmppClient.connect(alice);
    expect(session.jid).toContain(alice.username);
  });
});

describe('the configuration', () => {
  const rendered = path.join(platform.directory, 'ejabberd', 'run', 'etc', 'ejabberd.yml');

  it('prepares no statement: that made the first call of each kind slow', async () => {
    expect(await readFile(rendered, 'utf8')).toMatch(/^sql_prepared_statements: false$/m);
  });

  it('holds secrets, and is readable by ejabberd alone', async () => {
    expect(await readFile(rendered, 'utf8')).toContain(secret('xmpp_component_secret'));
    expect((await stat(rendered)).mode & 0o077).toBe(0);
  });
});
