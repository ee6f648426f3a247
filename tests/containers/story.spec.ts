/**
 * What a user does, from outside: an account, chat, a file, calls with sound both ways, the relay.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, describe, expect, it } from '@jest/globals';
import { registerAccount } from '../support/api.js';
import { Baresip } from '../support/baresip.js';
import { Browser } from '../support/browser.js';
import { compose } from '../support/containers.js';
import { https } from '../support/https.js';
import { platform } from '../support/platform.js';
import { TurnClient } from '../support/turn-client.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';
import { XmppWebSocket } from '../support/xmpp-stream.js';

const PACKETS = 100;
const [CALLER_HERTZ, CALLEE_HERTZ] = [440, 880];
/** ejabberd 26 offers channel binding that this client does not have on TLS 1.3. */
const LOGIN = { mechanism: 'SCRAM-SHA-256-PLUS', tlsVersion: '1.2' } as const;

const connect = (account: { jid: string; password: string }): Promise<XmppClient> => XmppClient.connect(account, LOGIN);

afterAll(closeXmppClients);

describe('from outside', () => {
  it('everything answers, and plain HTTP leads to HTTPS', async () => {
    const ready = async () => (await https.get(`${platform.apiUrl}/health/ready`)).data;
    // A container is healthy when it answers; which servers it has it knows a second later.
    await until('every server is there', async () => (await ready()).status === 'ready');
    expect((await ready()).neighbours).toHaveProperty('valkey.state', 'up');
    const http = await https.get(`http://${platform.host}:${process.env.HTTP_PORT}/docs`, { maxRedirects: 0 });
    expect(http.status).toBe(301);
    expect(http.headers.location).toMatch(/^https:/);
    const links = await https.get(`${platform.apiUrl}/.well-known/host-meta.json`);
    expect(links.data.links[0].href).toBe(`wss://${platform.domain}:${platform.ports.xmppHttps}/ws`);
  });

  it('the doctor finds nothing wrong', async () => {
    const trust = ['--ca', '/var/lib/veil/api/tls/ca.crt'];
    expect(await compose('exec', '-T', 'api', 'veil', 'doctor', '--quiet', ...trust)).toBe('');
  });

  it('two accounts chat, over TCP and over a WebSocket, and send a file', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const [a, b] = await Promise.all([connect(alice), XmppClient.connect(bob, { ...LOGIN, directTls: true })]);
    await a.send(bob.jid, 'Are you there?');
    await b.receivedBody('Are you there?');

    const photo = randomBytes(1_000_000);
    const slot = await a.uploadSlot('photo.jpg', photo.length);
    expect(new URL(slot.put).port).toBe(String(platform.ports.xmppHttps));
    expect((await https.put(slot.put, photo)).status).toBe(201);
    const fetched = await https.get(slot.get, { responseType: 'arraybuffer' });
    expect(Buffer.from(fetched.data).equals(photo)).toBe(true);

    const socket = await XmppWebSocket.connect(platform.ports.xmppHttps);
    await socket.open();
    expect(await socket.authenticate(bob.username, bob.password)).toBeNull();
    socket.close();
  });

  it('two phones call each other, and hear each other', async () => {
    const [caller, callee] = await Promise.all([
      Baresip.start(await registerAccount('caller'), { toneHertz: CALLER_HERTZ, transport: 'tls' }),
      Baresip.start(await registerAccount('callee'), { toneHertz: CALLEE_HERTZ }),
    ]);
    try {
      await caller.dial(callee.address);
      await callee.rings();
      await callee.answer();
      await until('they hear each other', () => caller.heard(CALLEE_HERTZ) > 1000 && callee.heard(CALLER_HERTZ) > 1000);
      await caller.hangUp();
    } finally {
      await Promise.all([caller.stop(), callee.stop()]);
    }
  });

  it('a browser calls a phone through the HTTPS port, and all its media goes through the TURN relay', async () => {
    const account = await registerAccount('web');
    const { data: turn } = await account.api.get('/turn/credentials');
    const urls = (turn.uris as string[]).slice(0, 1).map((uri) => uri.replace(/:[^:]+:/, `:${platform.host}:`));
    const iceServers = [{ urls, username: turn.username, credential: turn.password }];
    const browser = await Browser.start();
    const phone = await Baresip.start(await registerAccount('phone'), { toneHertz: CALLEE_HERTZ });
    try {
      const web = await browser.phone(account, { toneHertz: CALLER_HERTZ, iceServers, iceTransportPolicy: 'relay' });
      const call = web.call(phone.address);
      await phone.rings();
      await phone.answer();
      await call;
      const report = await web.exchanged(PACKETS);
      expect(report).toMatchObject({ candidate: 'relay', relayProtocol: 'udp', remoteAddress: platform.mediaAddress });
      await web.hears(CALLEE_HERTZ);
      await until('the phone hears the browser', () => phone.heard(CALLER_HERTZ) > 1000);
      await web.hangUp();
    } finally {
      await Promise.all([phone.stop(), browser.stop()]);
    }
  });

  it('the relay leads to the address of the media relay, and to no container', async () => {
    const account = await registerAccount('relay');
    const { data: turn } = await account.api.get('/turn/credentials');
    const client = await TurnClient.connect(turn.uris[0], turn);
    try {
      const relay = await client.allocate();
      expect(relay.address).toBe(platform.host);
      await client.permit({ address: platform.mediaAddress, port: 9 });
      const inside = [`${process.env.NETWORK_PREFIX}.1`, `${process.env.NETWORK_PREFIX}.10`, '172.17.0.1', '127.0.0.1'];
      for (const address of inside) {
        await expect(client.permit({ address, port: platform.ports.rtpengineNg })).rejects.toMatchObject({ code: 403 });
      }
    } finally {
      await client.release();
      client.close();
    }
  });
});
