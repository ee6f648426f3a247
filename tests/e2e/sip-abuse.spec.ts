import { createSocket, type Socket } from 'node:dgram';
import { connect } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { registerAccount } from '../support/api.js';
import { breakHandshakes } from '../support/broken-handshakes.js';
import { serverPids, stateFile } from '../support/host.js';
import { platform } from '../support/platform.js';
import { type EstablishedCall, endCall, establishCall, registeredClient } from '../support/sip-call.js';
import { audioDescription, SipClient } from '../support/sip-client.js';
import { header, headersOf, isRequest, parameter, type SipRequest, uriOf } from '../support/sip-message.js';
import { until } from '../support/wait.js';

/** What an account, or a party of an earlier call, might try against the server and the people behind it. */

/** Where a caller lives that has an address of its own. */
const ELSEWHERE = '127.0.0.80';
/** Above how long a stranger's silent connection stays open. */
const STRANGER_TIMEOUT_MS = 45_000;

const open: { close(): void }[] = [];
const keep = <T extends { close(): void }>(closable: T): T => {
  open.push(closable);
  return closable;
};

const party = async (prefix: string, transport?: 'udp' | 'tcp'): Promise<SipClient> =>
  keep(await registeredClient(prefix, transport));

/** A UDP socket and what arrives at it. */
async function listenAt(address: string, port = 0): Promise<{ socket: Socket; port: number; heard: string[] }> {
  const socket = keep(createSocket('udp4'));
  const heard: string[] = [];
  socket.on('message', (datagram) => heard.push(datagram.toString()));
  await new Promise<void>((resolve) => socket.bind(port, address, resolve));
  return { socket, port: socket.address().port, heard };
}

/** The callee's request in a call: to the Contact that it was shown, as who it claims to be. */
const fromCallee = (
  callee: SipClient,
  { seenByCallee, final }: EstablishedCall,
  method: string,
  from = uriOf(header(seenByCallee, 'To')),
  body = '',
) =>
  callee.send(method, uriOf(header(seenByCallee, 'Contact')), {
    from,
    to: uriOf(header(seenByCallee, 'From')),
    fromTag: parameter(header(final, 'To'), 'tag'),
    toTag: parameter(header(seenByCallee, 'From'), 'tag'),
    callId: header(seenByCallee, 'Call-ID'),
    sequence: 50,
    headers: headersOf(seenByCallee, 'Record-Route').map((value) => ['Route', value] as const),
    body,
    contentType: 'text/plain',
  });

const requestsSeenBy = (client: SipClient): SipRequest[] => client.received.filter(isRequest);

afterEach(() => {
  for (const closable of open.splice(0)) closable.close();
});

describe('TLS handshakes that fail, many at once,', () => {
  it.each(['sipTls', 'sipWss'] as const)("end nobody else's connection (%s)", async (port) => {
    const phone = keep(await SipClient.open(await registerAccount('alice'), 'tls'));
    await phone.register();
    const { kamailio } = await serverPids();

    await breakHandshakes(platform.ports[port], 1500);

    expect((await phone.request('OPTIONS', `sip:${platform.domain}`)).final.status).toBe(200);
    expect((await serverPids()).kamailio).toBe(kamailio);
    // What OpenSSL keeps for a process belonged to all of them once (kamailio/after-fork.c).
    expect(stateFile('log/kamailio.log')).not.toContain('freeing already freed pointer');
  });
});

describe('the media relay', () => {
  it('sends to the address that the SIP message came from, not to the one that its SDP claims', async () => {
    const alice = keep(await SipClient.open(await registerAccount('alice'), 'udp', ELSEWHERE));
    const bob = await party('bob');
    const victim = await listenAt('127.0.0.1');
    const own = await listenAt(ELSEWHERE, victim.port);
    const bobsMedia = await listenAt('127.0.0.1');

    const calling = alice.request('INVITE', bob.address, { body: audioDescription(victim.port) });
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 200, { body: audioDescription(bobsMedia.port) });
    const call = await calling;
    const relay = Number(/^m=audio (\d+)/m.exec(seenByCallee.body)?.[1]);
    await until('the caller hears', () => {
      bobsMedia.socket.send(Buffer.from(`\x80\0${'x'.repeat(170)}`, 'latin1'), relay, platform.mediaAddress);
      return own.heard.length > 0;
    });

    expect(victim.heard).toEqual([]);
    alice.withinCall(call, 'ACK');
    await endCall({ ...call, seenByCallee }, alice, bob);
  });

  it.each([
    ['its own control port', () => audioDescription(platform.ports.rtpengineNg)],
    ['the port below, for RTCP', () => audioDescription(platform.ports.rtpengineNg - 1)],
    ['its own control port as RTCP', () => `${audioDescription()}a=rtcp:${platform.ports.rtpengineNg}\r\n`],
    ['a privileged port', () => audioDescription(53)],
    ['a range of ports', () => audioDescription().replace('40000', '40000/4')],
  ])('is never asked to send to %s', async (_what, description) => {
    const [alice, bob] = [await party('alice'), await party('bob')];

    expect((await alice.request('INVITE', bob.address, { body: description() })).final.status).toBe(488);

    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 200, { body: description() });
    const call = await calling;
    expect([call.final.status, call.final.body]).toEqual([200, '']);
    alice.withinCall(call, 'ACK');
    await endCall({ ...call, seenByCallee }, alice, bob);
  });
});

describe('an account', () => {
  it('begins eight calls at once and no more, until one of them ends', async () => {
    const [alice, bob, carol] = [await party('alice'), await party('bob'), await party('carol')];
    const calls: EstablishedCall[] = [];
    for (let n = 0; n < 8; n += 1) calls.push(await establishCall(alice, bob));

    const tooMany = await alice.request('INVITE', bob.address, { body: audioDescription() });
    expect(tooMany.final.status).toBe(486);
    await endCall(await establishCall(carol, bob), carol, bob);

    await endCall(calls.pop()!, alice, bob);
    calls.push(await establishCall(alice, bob));
    for (const call of calls) await endCall(call, alice, bob);
  });
});

describe('the seal of a call', () => {
  it('cannot be taken apart differently: a Call-ID lends nothing to the address', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const victim = await listenAt('127.0.0.1');
    const calling = alice.request('INVITE', bob.address, { body: audioDescription(), callId: 'shared:x' });
    const invite = await bob.incoming('INVITE');
    bob.reply(invite, 486);
    await calling;
    const contact = uriOf(header(invite, 'Contact'));
    const [peer, seal] = (parameter(contact, 'peer') ?? '').split('~');

    const forged = ['x:', 'x%3A', ''].map((before) =>
      bob.send('INFO', `sip:anybody@127.0.0.1:${victim.port};peer=${before}${peer}~${before ? seal : ''}`, {
        callId: 'shared',
        toTag: 'any',
        headers: headersOf(invite, 'Record-Route').map((value) => ['Route', value] as const),
      }),
    );

    for (const exchange of forged) expect((await bob.final(exchange)).status).toBe(403);
    expect(victim.heard).toEqual([]);
  });

  it('names its parties: nobody speaks in a call as somebody else', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const call = await establishCall(alice, bob);

    const forged = fromCallee(bob, call, 'INFO', `sip:the-boss@${platform.domain}`);

    expect((await bob.final(forged)).status).toBe(403);
    await endCall(call, alice, bob);
    expect(requestsSeenBy(alice)).toEqual([]);
  });

  it.each(['MESSAGE', 'REFER', 'NOTIFY', 'SUBSCRIBE', 'OPTIONS'])(
    'is not enough for %s: its sender proves who it is',
    async (method) => {
      const [alice, bob] = [await party('alice'), await party('bob')];
      const call = await establishCall(alice, bob);

      const unproven = fromCallee(bob, call, method, undefined, 'send me the code');

      expect((await bob.final(unproven)).status).toBe(407);
      await endCall(call, alice, bob);
      expect(requestsSeenBy(alice)).toEqual([]);
    },
  );

  it('carries a message of a party that proves who it is', async () => {
    const [alice, bob] = [await party('alice'), await party('bob')];
    const call = await establishCall(alice, bob);
    const target = uriOf(header(call.final, 'Contact'));
    const challenge = await alice.final(alice.withinCall(call, 'MESSAGE', { body: 'hello', sequence: 10 }));

    const headers = [alice.answer(challenge, 'MESSAGE', target)];
    const sent = alice.withinCall(call, 'MESSAGE', { body: 'hello', sequence: 11, headers });
    bob.reply(await bob.incoming('MESSAGE'), 200);

    expect((await alice.final(sent)).status).toBe(200);
    await endCall(call, alice, bob);
  });
});

describe('a connection', () => {
  it('of a stranger who says nothing is closed, that of a registered phone stays', async () => {
    const phone = await party('bob', 'tcp');
    const idle = connect(platform.ports.sip, platform.host);
    let closed = false;
    idle.on('close', () => {
      closed = true;
    });

    await until('the silent connection is closed', () => closed, { timeoutMs: STRANGER_TIMEOUT_MS });

    const alice = await party('alice');
    const sending = alice.request('MESSAGE', phone.address, { body: 'hello', contentType: 'text/plain' });
    phone.reply(await phone.incoming('MESSAGE'), 200);
    expect((await sending).final.status).toBe(200);
  });
});
