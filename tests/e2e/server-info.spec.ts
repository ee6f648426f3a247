/**
 * What a client reads first: every server that /server/info names is there, is who it says it is, and speaks.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import WebSocket from 'ws';
import { apiClient, registerAccount } from '../support/api.js';
import { https, toPlatform } from '../support/https.js';
import { certificateAuthority, platform } from '../support/platform.js';
import { TurnClient } from '../support/turn-client.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';

interface ServerInfo {
  xmpp_domain: string;
  xmpp_host: string;
  xmpp_port_tls: number;
  xmpp_port_starttls: number;
  xmpp_ws_url: string;
  sip_domain: string;
  sip_port_tls: number;
  sip_host: string;
  sip_ws_url: string;
  turn_server: string;
  turn_server_tls: string;
  http_upload_host: string;
  registration: string;
  push_providers: string[];
  vapid_public_key: string | null;
  server_version: string;
  min_client_version: string;
}

let info: ServerInfo;
const connections: { destroy(): void }[] = [];

beforeAll(async () => {
  const answer = await apiClient().get('/server/info');
  expect(answer.status).toBe(200);
  info = answer.data;
});

afterEach(async () => {
  for (const connection of connections.splice(0)) connection.destroy();
  await closeXmppClients();
});

function keep<T extends { destroy(): void }>(connection: T): T {
  connections.push(connection);
  return connection;
}

/** Sends a text and resolves with what has come back once the pattern is in it. */
async function converse(socket: Socket | TLSSocket, text: string, pattern: RegExp): Promise<string> {
  let received = '';
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.write(text);
  await until(`${pattern} comes back`, () => pattern.test(received));
  socket.removeAllListeners('data');
  return received;
}

/** TLS on a connection, with a certificate that must be for that name. */
async function secure(socket: Socket, servername: string, protocol?: string): Promise<TLSSocket> {
  const ALPNProtocols = protocol ? [protocol] : undefined;
  const tls = keep(connectTls({ socket, servername, ca: certificateAuthority(), ALPNProtocols }));
  await new Promise<void>((resolve, reject) => tls.once('secureConnect', resolve).once('error', reject));
  return tls;
}

/** Names of the test platform are in no DNS: the port is asked at the platform's address. */
const dial = (port: number): Socket => keep(connectTcp(port, platform.host));

async function webSocket(url: string, protocol: string): Promise<WebSocket> {
  const socket = new WebSocket(url, protocol, { ca: certificateAuthority(), lookup: toPlatform });
  keep({ destroy: () => socket.terminate() });
  await new Promise<void>((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return socket;
}

const nextFrame = (socket: WebSocket): Promise<string> =>
  new Promise((resolve) => socket.once('message', (data) => resolve(data.toString())));

const streamTo = (domain: string): string =>
  `<stream:stream to='${domain}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`;

const options = (domain: string, transport: string): string =>
  [
    `OPTIONS sip:${domain} SIP/2.0`,
    `Via: SIP/2.0/${transport} client.invalid;rport;branch=z9hG4bKinfo${transport}`,
    'Max-Forwards: 70',
    `From: <sip:client@${domain}>;tag=info`,
    `To: <sip:${domain}>`,
    `Call-ID: server-info-${transport}`,
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '\r\n',
  ].join('\r\n');

describe('/server/info', () => {
  it('names these, and each has its story below', () => {
    expect(info).toEqual({
      xmpp_domain: platform.domain,
      xmpp_host: expect.any(String),
      xmpp_port_tls: expect.any(Number),
      xmpp_port_starttls: expect.any(Number),
      xmpp_ws_url: expect.stringMatching(/^wss:/),
      sip_domain: platform.domain,
      sip_port_tls: expect.any(Number),
      sip_host: expect.stringMatching(/^[a-z0-9.-]+$/),
      sip_ws_url: expect.stringMatching(/^wss:/),
      turn_server: expect.stringMatching(/:\d+$/),
      turn_server_tls: expect.stringMatching(/:\d+$/),
      http_upload_host: expect.any(String),
      registration: 'open',
      push_providers: ['webpush'],
      vapid_public_key: expect.any(String),
      server_version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
      min_client_version: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });

  it('names an XMPP server that asks for STARTTLS and then offers to log in', async () => {
    const socket = dial(info.xmpp_port_starttls);
    const plain = await converse(socket, streamTo(info.xmpp_domain), /<\/stream:features>/);
    expect(plain).toMatch(/<starttls[^>]*><required\/>/);
    expect(plain).not.toContain('<mechanism>');
    await converse(socket, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>", /<proceed/);
    const encrypted = await secure(socket, info.xmpp_domain);
    const features = await converse(encrypted, streamTo(info.xmpp_domain), /<\/stream:features>/);
    expect(features).toContain('<mechanism>SCRAM-SHA-256</mechanism>');
  });

  it('names the same server with TLS from the start, for its domain and its host', async () => {
    for (const name of [info.xmpp_domain, info.xmpp_host]) {
      const socket = await secure(dial(info.xmpp_port_tls), name, 'xmpp-client');
      const features = await converse(socket, streamTo(info.xmpp_domain), /<\/stream:features>/);
      expect(features).toContain('<mechanism>SCRAM-SHA-256</mechanism>');
    }
  });

  it('names the WebSocket of the XMPP server', async () => {
    const socket = await webSocket(info.xmpp_ws_url, 'xmpp');
    const frames: string[] = [];
    socket.on('message', (data) => frames.push(data.toString()));
    socket.send(`<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' to='${info.xmpp_domain}' version='1.0'/>`);
    await until('the features are offered', () => frames.some((frame) => frame.startsWith('<stream:features')));
    expect(frames[0]).toMatch(/^<open /);
    expect(frames[1]).toContain('<mechanism>SCRAM-SHA-256</mechanism>');
  });

  it('names a SIP server that answers over TLS', async () => {
    for (const name of [info.sip_domain, info.sip_host]) {
      const socket = await secure(dial(info.sip_port_tls), name);
      expect(await converse(socket, options(info.sip_domain, 'TLS'), /\r\n\r\n/)).toMatch(/^SIP\/2\.0 200 /);
    }
  });

  it('names the WebSocket of the SIP server', async () => {
    const socket = await webSocket(info.sip_ws_url, 'sip');
    const answer = nextFrame(socket);
    socket.send(options(info.sip_domain, 'WSS'));
    expect(await answer).toMatch(/^SIP\/2\.0 200 /);
  });

  it('names a STUN server over UDP, TCP and TLS', async () => {
    const uris = [
      `turn:${info.turn_server}?transport=udp`,
      `turn:${info.turn_server}?transport=tcp`,
      `turns:${info.turn_server_tls}?transport=tcp`,
    ];
    for (const uri of uris) {
      const client = await TurnClient.connect(uri);
      keep({ destroy: () => client.close() });
      expect((await client.bind()).address).toBe(platform.host);
    }
  });

  it('names the host of uploads: a file goes there and comes from there', async () => {
    const xmpp = await XmppClient.connect(await registerAccount('info'));
    const slot = await xmpp.uploadSlot('hello.txt', 5);
    expect(new URL(slot.put).hostname).toBe(info.http_upload_host);
    expect(new URL(slot.get).hostname).toBe(info.http_upload_host);
    expect((await https.put(slot.put, 'hello')).status).toBe(201);
    expect((await https.get(slot.get)).data).toBe('hello');
  });
});
