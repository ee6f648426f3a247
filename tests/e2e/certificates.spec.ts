/**
 * Certificates: a public authority signs one for every name, and each server shows it to whoever comes next, while
 * those who are connected stay so. Without the authority, everything goes on with what there is.
 */
import { once } from 'node:events';
import path from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { AcmeServer } from '../support/acme-server.js';
import { script } from '../support/host.js';
import { platform } from '../support/platform.js';
import { SecondPlatform } from '../support/second-platform.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';

const TLS_PORTS = ['XMPP_TLS_PORT', 'XMPP_WS_PORT', 'XMPP_HTTPS_PORT', 'SIP_TLS_PORT', 'SIP_WSS_PORT', 'TURN_TLS_PORT'];
/** Of RFC 8489: a binding request with a transaction id. */
const STUN_REQUEST = Buffer.from(`000100002112a442${'07'.repeat(12)}`, 'hex');

const second = new SecondPlatform();
let authority: AcmeServer;
let stream: XmppClient;
let phone: TLSSocket;
let relay: TLSSocket;

async function connected(port: string, ca?: string): Promise<TLSSocket> {
  const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
  const socket = connect({ host: '127.0.0.1', port: second.port(port), servername: platform.domain, ...trust });
  await once(socket, 'secureConnect');
  return socket;
}

/** What each server shows to whoever comes now. @param ca whom they trust, if not anybody */
async function shown(ca?: string): Promise<string[]> {
  const sockets = await Promise.all(TLS_PORTS.map((port) => connected(port, ca)));
  return sockets.map((socket) => {
    const { fingerprint256 } = socket.getPeerCertificate();
    socket.destroy();
    return fingerprint256;
  });
}

/** What the server answers on a connection that is open. */
async function asked(socket: TLSSocket, request: string | Buffer): Promise<Buffer> {
  const answer = once(socket, 'data', { signal: AbortSignal.timeout(20_000) });
  socket.write(request);
  return (await answer)[0];
}

function options(): string {
  const via = `SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bK${Math.random().toString(36).slice(2)};rport`;
  const lines = [`OPTIONS sip:${platform.domain} SIP/2.0`, `Via: ${via}`, 'Max-Forwards: 70', 'CSeq: 1 OPTIONS'];
  const ends = [`From: <sip:x@${platform.domain}>;tag=1`, `To: <sip:${platform.domain}>`, 'Call-ID: still-there'];
  return [...lines, ...ends, 'Content-Length: 0', '', ''].join('\r\n');
}

/** Those who were connected before anything changed still are, each on its first connection. */
async function nobodyWasCutOff(): Promise<void> {
  expect(await stream.services(platform.domain)).toContain(`upload.${platform.domain}`);
  expect(stream.closed).toBeNull();
  expect((await asked(phone, options())).toString()).toMatch(/^SIP\/2\.0 200/);
  expect((await asked(relay, STUN_REQUEST)).readUInt16BE()).toBe(0x0101);
}

beforeAll(async () => {
  authority = await AcmeServer.start(second.home);
  await second.start(authority.settings);
  const { data } = await second
    .api()
    .post('/account/register', { username: 'alice', password: 'correct horse battery' });
  stream = await XmppClient.connect(
    { jid: data.jid, password: 'correct horse battery' },
    { port: second.port('XMPP_PORT'), authority: path.join(second.directory, 'tls', 'ca.crt') },
  );
  [phone, relay] = await Promise.all([connected('SIP_TLS_PORT'), connected('TURN_TLS_PORT')]);
});

afterAll(async () => {
  await closeXmppClients();
  phone.destroy();
  relay.destroy();
  await authority.stop();
  await second.remove();
});

describe('setup-certs.sh', () => {
  let signed: string[];

  it('gets a certificate for every name, which every server shows, and ends no connection', async () => {
    const { status, stderr } = await script('setup-certs.sh', second.settings);
    if (status !== 0) throw new Error(stderr);
    signed = await shown(await authority.root());
    expect(new Set(signed).size).toBe(1);
    await nobodyWasCutOff();
  });

  it('does nothing while that lasts, and neither does up.sh', async () => {
    expect(await script('setup-certs.sh', second.settings)).toMatchObject({ status: 0 });
    expect(await script('up.sh', second.settings)).toMatchObject({ status: 0 });
    expect(await shown()).toEqual(signed);
    await nobodyWasCutOff();
  });

  it('gets another when it is time, without anybody noticing', async () => {
    expect(await script('setup-certs.sh', second.settings, ['--now'])).toMatchObject({ status: 0 });
    const renewed = await shown(await authority.root());
    expect(new Set(renewed).size).toBe(1);
    expect(renewed[0]).not.toBe(signed[0]);
    signed = renewed;
    await nobodyWasCutOff();
  });

  it('leaves everything as it is when the authority does not answer, and says so', async () => {
    await authority.stop();
    const failed = await script('setup-certs.sh', second.settings, ['--now']);
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining('No certificate was signed') });
    expect(await shown()).toEqual(signed);
    await nobodyWasCutOff();
  });
});
