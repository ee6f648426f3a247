import { afterEach, describe, expect, it } from '@jest/globals';
import { platform } from '../support/platform.js';
import { barrier, type EstablishedCall, endCall, establishCall, registeredClient } from '../support/sip-call.js';
import { audioDescription, type RequestOptions, type SipClient } from '../support/sip-client.js';
import { header, headersOf, isRequest, type SipMessage, type SipResponse } from '../support/sip-message.js';

/** What could carry a description from one party to the other without the media relay. */

/** In the descriptions of both parties, and in nothing that went through the relay. */
const OWN_PORT = 40_002;
const OWN = audioDescription(OWN_PORT);

const multipart = (part: string): string =>
  ['--part', 'Content-Type: application/sdp', '', part, '--part--', ''].join('\r\n');

type Body = Pick<RequestOptions, 'body' | 'contentType' | 'headers' | 'lengthUntold'>;

/** Of which a phone could still make out a description. */
const DISGUISED: [string, Body][] = [
  ['in parts', { body: multipart(OWN), contentType: 'multipart/mixed;boundary=part' }],
  ['of another type', { body: OWN, contentType: 'application/x-sdp' }],
  ['of a longer type', { body: OWN, contentType: 'application/sdpx' }],
  ['of no type', { body: OWN, contentType: '' }],
  ['of an empty type', { body: OWN, contentType: '', headers: [['Content-Type', '']] }],
  ['of two types', { body: OWN, headers: [['c', 'text/plain']] }],
  ['of the same type twice', { body: OWN, headers: [['Content-Type', 'application/sdp']] }],
  ['in an encoding', { body: OWN, headers: [['Content-Encoding', 'gzip']] }],
  ['in an encoding, in short', { body: OWN, headers: [['e', 'gzip']] }],
  ['of untold length', { body: OWN, lengthUntold: true }],
  ['in parts and of untold length', { body: multipart(OWN), contentType: 'multipart/mixed', lengthUntold: true }],
  ['with a zero byte', { body: OWN.replace('s=-', 's=\0') }],
];

/** A description all the same, if unusually dressed. */
const DRESSED: [string, Body][] = [
  ['in capitals', { body: OWN, contentType: 'APPLICATION/SDP' }],
  ['with a parameter', { body: OWN, contentType: 'application/sdp;charset=utf-8' }],
  ['with spaces and a parameter', { body: OWN, contentType: '  application/sdp ; charset=utf-8' }],
  ['in short', { body: OWN, contentType: '', headers: [['c', 'application/sdp']] }],
];

const clients: SipClient[] = [];
let opened = 0;

/** Each speaks from another address: all of this from one would be a flood. */
async function party(prefix: string): Promise<SipClient> {
  opened += 1;
  const client = await registeredClient(prefix, 'udp', `127.0.1.${opened % 255}`);
  clients.push(client);
  return client;
}

const parties = async (): Promise<[SipClient, SipClient]> => [await party('alice'), await party('bob')];

function expectRelayed({ body }: SipMessage): void {
  expect(body).toContain(`c=IN IP4 ${platform.mediaAddress}`);
  expect(body).toMatch(/^m=audio \d+ RTP/m);
  expect(body).not.toContain(String(OWN_PORT));
}

function expectUnsupported(response: SipResponse): void {
  expect([response.status, header(response, 'Accept')]).toEqual([415, 'application/sdp']);
}

const requestsSeenBy = ({ received }: SipClient): string[] => received.filter(isRequest).map(({ method }) => method);

const saidTo = ({ received }: SipClient): string => received.map(({ body }) => body).join();

/** A refused change of an established call. */
async function refused(alice: SipClient, call: EstablishedCall, method: string, body: Body): Promise<SipResponse> {
  const sent = alice.withinCall(call, method, { ...body, sequence: 10 });
  const final = await alice.final(sent);
  if (method === 'INVITE') alice.acknowledge(sent, final);
  return final;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('a body that is no plain description', () => {
  it.each(DISGUISED)('begins no call (%s)', async (_how, body) => {
    const [alice, bob] = await parties();

    expectUnsupported((await alice.request('INVITE', bob.address, body)).final);

    await barrier(bob);
    expect(requestsSeenBy(bob)).toEqual([]);
  });

  it.each(['INVITE', 'UPDATE'])('changes no call by %s', async (method) => {
    const [alice, bob] = await parties();
    const call = await establishCall(alice, bob);

    for (const [, body] of DISGUISED) expectUnsupported(await refused(alice, call, method, body));

    await barrier(bob);
    expect(requestsSeenBy(bob)).not.toContain(method);
    await endCall(call, alice, bob);
  });

  it.each(DISGUISED)('is taken from an ACK (%s)', async (_how, body) => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address);
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 200, { body: OWN });
    const call = await calling;
    alice.withinCall(call, 'ACK', body);

    expect((await bob.incoming('ACK')).body).toBe('');
    await endCall({ ...call, seenByCallee }, alice, bob);
  });

  it.each(DISGUISED)('is taken from an answer (%s)', async (_how, body) => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 183, body);
    bob.reply(seenByCallee, 200, body);
    const call = await calling;

    expect(call.final.status).toBe(200);
    expect(saidTo(alice)).not.toContain(String(OWN_PORT));
    alice.withinCall(call, 'ACK');
    await endCall({ ...call, seenByCallee }, alice, bob);
  });
});

describe('a plain description', () => {
  it.each(DRESSED)('goes through the relay, however it is announced (%s)', async (_how, body) => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address, body);
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 200, body);
    const call = await calling;
    alice.withinCall(call, 'ACK');
    await bob.incoming('ACK');

    expectRelayed(seenByCallee);
    expectRelayed(call.final);
    await endCall({ ...call, seenByCallee }, alice, bob);
  });

  it.each(DRESSED)('goes through the relay in an ACK (%s)', async (_how, body) => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address);
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 200, { body: OWN });
    const call = await calling;
    alice.withinCall(call, 'ACK', body);

    expectRelayed(await bob.incoming('ACK'));
    await endCall({ ...call, seenByCallee }, alice, bob);
  });

  it('goes through the relay when a call is changed by UPDATE', async () => {
    const [alice, bob] = await parties();
    const call = await establishCall(alice, bob);
    const change = alice.withinCall(call, 'UPDATE', { body: OWN, sequence: 10 });
    const update = await bob.incoming('UPDATE');
    bob.reply(update, 200, { body: OWN });

    expectRelayed(await alice.final(change));
    expectRelayed(update);
    await endCall(call, alice, bob);
  });

  it('comes with no refusal, and with no answer to anything but a call', async () => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    bob.reply(await bob.incoming('INVITE'), 488, { body: OWN });
    expect((await calling).final).toMatchObject({ status: 488, body: '' });

    const asking = alice.request('OPTIONS', bob.address);
    bob.reply(await bob.incoming('OPTIONS'), 200, { body: OWN });
    expect((await asking).final).toMatchObject({ status: 200, body: '' });
  });
});

describe('an answer', () => {
  it('to a request that the server has not relayed goes nowhere', async () => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    const seenByCallee = await bob.incoming('INVITE');
    const answer = bob.composeReply(seenByCallee, 200, { body: OWN });
    const [own = ['', ''], ...others] = answer.headers;
    const stray = own[1].replace(/branch=[^;]+/, 'branch=z9hG4bKstray');
    bob.transport.send({ ...answer, headers: [['Via', stray], ...others] });
    await barrier(bob);
    bob.reply(seenByCallee, 200, { body: OWN });
    const call = await calling;

    expectRelayed(call.final);
    expect(saidTo(alice)).not.toContain(String(OWN_PORT));
    alice.withinCall(call, 'ACK');
    await endCall({ ...call, seenByCallee }, alice, bob);
  });

  it.each([
    ['has a broken header', { headers: [['Broken\r\nX', 'y']] }],
    ['tells of a shorter body', { headers: [['Content-Length', '0']] }],
  ] as const)('that %s goes nowhere', async (_what, { headers }) => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    const seenByCallee = await bob.incoming('INVITE');
    bob.reply(seenByCallee, 200, { body: OWN, headers: [...headers] });
    await barrier(bob);
    bob.reply(seenByCallee, 486);

    expect((await calling).final.status).toBe(486);
    expect(saidTo(alice)).not.toContain(String(OWN_PORT));
  });
});

describe('reliable provisional answers (RFC 3262)', () => {
  it.each([
    ['Supported', '100rel', ''],
    ['Supported', 'replaces, 100rel, timer', 'replaces, timer'],
    ['Supported', 'replaces,100REL', 'replaces'],
    ['k', '100rel,replaces', 'replaces'],
    ['Supported', '100rel, 100rel', ''],
  ])('are not offered to the callee (%s: %s)', async (name, offered, passedOn) => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address, { body: audioDescription(), headers: [[name, offered]] });
    const invite = await bob.incoming('INVITE');
    bob.reply(invite, 486);

    expect(headersOf(invite, 'Supported').join().replaceAll(' ', '')).toBe(passedOn.replaceAll(' ', ''));
    expect((await calling).final.status).toBe(486);
  });

  it('cannot be insisted upon', async () => {
    const [alice, bob] = await parties();
    const headers: RequestOptions['headers'] = [['Require', 'replaces, 100rel']];
    const { final } = await alice.request('INVITE', bob.address, { body: audioDescription(), headers });

    expect([final.status, header(final, 'Unsupported')]).toEqual([420, '100rel']);
    await barrier(bob);
    expect(requestsSeenBy(bob)).toEqual([]);
  });

  it('are not acknowledged: PRACK carries nothing', async () => {
    const [alice, bob] = await parties();
    const calling = alice.request('INVITE', bob.address);
    const seenByCallee = await bob.incoming('INVITE');
    const headers: RequestOptions['headers'] = [
      ['Require', '100rel'],
      ['RSeq', '1'],
    ];
    bob.reply(seenByCallee, 183, { body: OWN, headers, tag: 'early' });
    await barrier(bob);
    const early = alice.received.find((message): message is SipResponse => message.status === 183)!;
    expectRelayed(early);

    const prack = alice.withinCall({ request: { ...seenByCallee, headers: early.headers }, final: early }, 'PRACK', {
      body: OWN,
      headers: [['RAck', '1 2 INVITE']],
      sequence: 3,
    });

    expect((await alice.final(prack)).status).toBe(405);
    await barrier(bob);
    expect(requestsSeenBy(bob)).toEqual([]);
    bob.reply(seenByCallee, 486, { tag: 'early' });
    await calling;
  });
});
