/**
 * What ejabberd is found by and leads to: the WebSocket that browsers use, and the relay for calls.
 */
import { createHash, createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { https } from '../support/https.js';
import { platform, secret } from '../support/platform.js';
import { TurnClient } from '../support/turn-client.js';
import { closeXmppClients, type ExternalService, XmppClient } from '../support/xmpp.js';
import { XmppWebSocket } from '../support/xmpp-stream.js';

const { ports, domain } = platform;

let alice: Account;
let bob: Account;

beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
});

afterAll(closeXmppClients);

describe('host-meta', () => {
  it.each([
    ['the WebSocket port', ports.xmppWs],
    ['the HTTPS port', ports.xmppHttps],
  ])('on %s names the WebSocket that the API names too', async (_name, port) => {
    const base = `https://${domain}:${port}/.well-known`;
    const href = (await apiClient().get('/server/info')).data.xmpp_ws_url;
    expect((await https.get(`${base}/host-meta`)).data).toContain(
      `<Link rel='urn:xmpp:alt-connections:websocket' href='${href}'/>`,
    );
    expect((await https.get(`${base}/host-meta.json`)).data).toEqual({
      links: [{ rel: 'urn:xmpp:alt-connections:websocket', href }],
    });
  });
});

describe('the WebSocket', () => {
  it.each([
    ['its own port', ports.xmppWs],
    ['the HTTPS port', ports.xmppHttps],
  ])('on %s logs in with SCRAM-SHA-256 and carries messages', async (_name, port) => {
    const b = await XmppClient.connect(bob);
    const socket = await XmppWebSocket.connect(port);
    const offered = [...(await socket.open()).matchAll(/<mechanism>([^<]+)/g)].map(([, mechanism]) => mechanism);
    expect(offered).toContain('SCRAM-SHA-256');
    expect(offered).not.toContain('PLAIN');
    expect(await socket.authenticate(alice.username, alice.password)).toBeNull();

    expect(await socket.open()).toContain('urn:ietf:params:xml:ns:xmpp-bind');
    const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>browser</resource></bind>";
    socket.write(`<iq xmlns='jabber:client' type='set' id='b1'>${bind}</iq>`);
    expect((await socket.read(/<jid>([^<]+)<\/jid>/))[1]).toBe(`${alice.jid}/browser`);
    socket.write(`<message xmlns='jabber:client' type='chat' to='${bob.jid}'><body>From a browser</body></message>`);
    const { from } = await b.receivedBody('From a browser');
    await b.send(from!, 'To a browser');
    await socket.read(/To a browser/);
    socket.close();
    await b.close();
  });

  it('refuses a wrong password', async () => {
    const socket = await XmppWebSocket.connect(ports.xmppWs);
    await socket.open();
    expect(await socket.authenticate(alice.username, bob.password)).toBe('not-authorized');
    socket.close();
  });
});

describe('external services', () => {
  let services: ExternalService[];

  beforeAll(async () => {
    services = await (await XmppClient.connect(alice)).externalServices();
  });

  it('are STUN and TURN of the platform, by every transport', () => {
    const relay = { restricted: 'true' };
    expect(services).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ type: 'stun', transport: 'udp', host: platform.host, port: String(ports.turn) }),
        expect.objectContaining({ type: 'turn', transport: 'udp', port: String(ports.turn), ...relay }),
        expect.objectContaining({ type: 'turn', transport: 'tcp', port: String(ports.turn), ...relay }),
        expect.objectContaining({ type: 'turns', transport: 'tcp', port: String(ports.turnTls), ...relay }),
      ]),
    );
    expect(services).toHaveLength(4);
  });

  it('come with credentials that end when those of the API do', async () => {
    const { ttl } = (await alice.api.get('/turn/credentials')).data;
    for (const { type, username, password, expires } of services) {
      if (type === 'stun') continue;
      expect(password).toBe(createHmac('sha1', secret('turn_secret')).update(username!).digest('base64'));
      const seconds = (Date.parse(expires!) - Date.now()) / 1000;
      expect(seconds).toBeGreaterThan(ttl - 60);
      expect(seconds).toBeLessThanOrEqual(ttl);
    }
  });

  it('have one user for all sessions of an account, whom nobody finds by trying names', async () => {
    const [session, again, foreign] = await Promise.all([
      XmppClient.connect(alice, { resource: 'phone' }),
      XmppClient.connect(alice, { resource: 'laptop' }),
      XmppClient.connect(bob, { resource: 'phone' }),
    ]);
    const userOf = async (client: XmppClient) =>
      (await client.externalServices()).find(({ type }) => type === 'turn')!.username!.split(':')[1]!;
    const user = await userOf(session);
    expect(await userOf(again)).toBe(user);
    expect(await userOf(foreign)).not.toBe(user);
    const guesses = [alice.username, alice.jid, session.jid, again.jid].map((guess) =>
      createHash('sha1').update(guess).digest('hex').slice(0, 8),
    );
    expect(guesses).not.toContain(user.slice(0, 8).toLowerCase());
  });

  it('relay for who has them, and for nobody else', async () => {
    for (const { type, host, port, transport, username, password } of services) {
      if (type === 'stun') continue;
      const uri = `${type}:${host}:${port}?transport=${transport}`;
      const relay = await TurnClient.connect(uri, { username: username!, password: password! });
      expect((await relay.allocate()).port).toBeGreaterThan(0);
      await relay.release();
      relay.close();
      const anonymous = await TurnClient.connect(uri);
      await expect(anonymous.allocate()).rejects.toMatchObject({ code: 401 });
      anonymous.close();
    }
  });

  it('are found by asking the server what it can do', async () => {
    const client = await XmppClient.connect(alice);
    expect(await client.features(domain)).toContain('urn:xmpp:extdisco:2');
  });
});
