import { createHmac } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { platform, secret } from '../support/platform.js';
import { endCall, establishCall } from '../support/sip-call.js';
import { addressOf, audioDescription, type Credentials, SipClient } from '../support/sip-client.js';
import { header, headersOf, isRequest, parameter, type SipResponse, tagOf, uriOf } from '../support/sip-message.js';
import type { TransportName } from '../support/sip-transport.js';

/** An address of its own for who guesses passwords: too many of them are held against it. */
const GUESSER = '127.0.0.70';

const clients: SipClient[] = [];

async function open(credentials: Credentials, transport?: TransportName, address?: string): Promise<SipClient> {
  const client = await SipClient.open(credentials, transport, address);
  clients.push(client);
  return client;
}

async function registered(prefix: string): Promise<SipClient> {
  const client = await open(await registerAccount(prefix));
  expect((await client.register()).status).toBe(200);
  return client;
}

const stranger = (): Promise<SipClient> => open({ username: uniqueName('stranger'), password: 'Pw-of-a-stranger' });

/** Everything in a response but what names its own transaction. */
const shapeOf = ({ status, headers }: SipResponse): unknown => ({
  status,
  headers: headers.filter(([name]) => !['Via', 'From', 'To', 'Call-ID'].includes(name)),
});

const requestsSeenBy = (client: SipClient): string[] => client.received.filter(isRequest).map(({ method }) => method);

/** Passes a message to a client: what was sent to it before has arrived then, or never will. */
async function deliverAfter(sender: SipClient, receiver: SipClient): Promise<void> {
  const sending = sender.request('MESSAGE', receiver.address, { body: 'last', contentType: 'text/plain' });
  receiver.reply(await receiver.incoming('MESSAGE'), 200);
  expect((await sending).final.status).toBe(200);
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('who sends a request', () => {
  it('is refused alike with a wrong password and for an account that does not exist', async () => {
    const account = await registerAccount('alice');
    const wrong = await open({ ...account, password: 'Pw-that-is-wrong' });
    const unknown = await stranger();

    const [refused, alsoRefused] = [await wrong.register(), await unknown.register()];

    expect(refused.status).toBe(403);
    expect(shapeOf(alsoRefused)).toEqual(shapeOf(refused));
  });

  it('may guess a few times, and then not even be right, from that address and for that account', async () => {
    const [account, other] = [await registerAccount('alice'), await registerAccount('bob')];
    const [wrong, right, neighbour] = await Promise.all(
      [{ ...account, password: 'Pw-that-is-wrong' }, account, other].map((credentials) =>
        open(credentials, 'udp', GUESSER),
      ),
    );
    for (let guess = 0; guess < 10; guess += 1) expect((await wrong!.register()).status).toBe(403);

    expect((await right!.register()).status).toBe(403);
    expect((await neighbour!.register()).status).toBe(200);
    expect((await (await open(account)).register()).status).toBe(200);
  });

  it('is the account that has authenticated, not the one that From or To claims', async () => {
    const [alice, bob] = [await registered('alice'), await registered('bob')];
    const foreign = `sip:${alice.credentials.username}@example.org`;
    const attempts = [
      alice.register({ to: bob.address }),
      alice.register({ from: bob.address }),
      alice.register({ from: foreign, to: foreign }),
      ...[bob.address, foreign].flatMap((from) =>
        ['INVITE', 'MESSAGE', 'OPTIONS'].map(
          async (method) => (await alice.request(method, bob.address, { from })).final,
        ),
      ),
    ];

    const statuses = (await Promise.all(attempts)).map(({ status }) => status);

    expect(statuses).toEqual(attempts.map(() => 403));
    await deliverAfter(alice, bob);
    expect(requestsSeenBy(bob)).toEqual([]);
  });

  it('cannot be claimed by an identity header', async () => {
    const [alice, bob] = [await registered('alice'), await registered('bob')];
    const headers = ['P-Asserted-Identity', 'P-Preferred-Identity', 'Remote-Party-ID'].map(
      (name) => [name, `<${addressOf('president')}>`] as const,
    );
    const sending = alice.request('MESSAGE', bob.address, { body: 'hello', contentType: 'text/plain', headers });
    const message = await bob.incoming('MESSAGE');
    bob.reply(message, 200);
    await sending;

    expect(uriOf(header(message, 'From'))).toBe(alice.address);
    expect(JSON.stringify(message)).not.toContain('president');
  });

  it('proves it once with each answer to a challenge: a captured one is worth nothing', async () => {
    const [alice, bob] = [await registered('alice'), await registered('bob')];
    const sending = alice.request('MESSAGE', bob.address, { body: 'once', contentType: 'text/plain' });
    bob.reply(await bob.incoming('MESSAGE'), 200);
    const { request } = await sending;
    const eavesdropper = await stranger();

    const replay = eavesdropper.send('MESSAGE', bob.address, {
      from: alice.address,
      headers: request.headers.filter(([name]) => name === 'Proxy-Authorization'),
      body: 'twice',
    });

    const challenge = await eavesdropper.final(replay);
    expect([challenge.status, header(challenge, 'Proxy-Authenticate')]).toEqual([
      407,
      expect.stringContaining('stale=true'),
    ]);
    await deliverAfter(alice, bob);
    expect(requestsSeenBy(bob)).toEqual([]);
  });

  it('keeps its digest answers: they go no further than the server', async () => {
    const [alice, bob] = [await registered('alice'), await registered('bob')];
    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    const invite = await bob.incoming('INVITE');
    bob.reply(invite, 200, { body: audioDescription() });
    const call = await calling;
    const credentials = headersOf(call.request, 'Proxy-Authorization');
    alice.withinCall(call, 'ACK', { headers: credentials.map((value) => ['Proxy-Authorization', value]) });
    const ack = await bob.incoming('ACK');

    expect(credentials).toHaveLength(1);
    expect(headersOf(invite, 'Proxy-Authorization')).toEqual([]);
    expect(headersOf(ack, 'Proxy-Authorization')).toEqual([]);
    await endCall({ ...call, seenByCallee: invite }, alice, bob);
  });
});

describe('somebody without an account', () => {
  it.each(['INVITE', 'MESSAGE', 'REGISTER', 'SUBSCRIBE', 'PUBLISH', 'REFER', 'NOTIFY', 'INFO', 'UPDATE', 'OPTIONS'])(
    'is challenged for %s, and nothing reaches a user',
    async (method) => {
      const [anybody, bob] = [await stranger(), await registered('bob')];
      const exchange = anybody.send(method, bob.address);

      expect((await anybody.final(exchange)).status).toBe(method === 'REGISTER' ? 401 : 407);

      await deliverAfter(await registered('alice'), bob);
      expect(requestsSeenBy(bob)).toEqual([]);
    },
  );

  it('is told by OPTIONS that the server is there, and not what it is', async () => {
    const anybody = await stranger();
    const answer = await anybody.final(anybody.send('OPTIONS', `sip:${platform.domain}`));

    expect(answer.status).toBe(200);
    expect([
      ...headersOf(answer, 'Server'),
      ...headersOf(answer, 'User-Agent'),
      ...headersOf(answer, 'Warning'),
    ]).toEqual([]);
    expect(JSON.stringify(answer)).not.toMatch(/kamailio/i);
  });

  it('cannot make the seal of a call, for it takes the secret of this platform', async () => {
    const [alice, bob] = [await registered('alice'), await registered('bob')];
    const call = await establishCall(alice, bob);
    const [peer = '', seal] = (parameter(uriOf(header(call.final, 'Contact')), 'peer') ?? '').split('~');
    const digest = (key: string, text: string): string => createHmac('sha256', key).update(text).digest('base64url');
    const named = (text: string): string => Buffer.from(text).toString('base64url');
    const owner = `${bob.address};${tagOf(call.final, 'To')}`.replace('sip:', '');
    const other = alice.address.replace('sip:', '');
    const key = digest(secret('internal_secret'), 'seal of a dialog');

    expect(seal).toBe(digest(key, `${peer}:${named(owner)}:${named(other)}:${header(call.request, 'Call-ID')}`));
    await endCall(call, alice, bob);
  });

  it('cannot end or change a call of others, nor send anything by pretending to be in one', async () => {
    const [alice, bob, mallory] = [await registered('alice'), await registered('bob'), await stranger()];
    const call = await establishCall(alice, bob);
    const other = await establishCall(alice, bob);
    const dialog = {
      from: alice.address,
      to: bob.address,
      fromTag: tagOf(call.request, 'From'),
      toTag: tagOf(call.final, 'To'),
      callId: header(call.request, 'Call-ID'),
      sequence: 3,
    };
    const route = ['Route', `<sip:${platform.host}:${platform.ports.sip};lr>`] as const;
    const sealedForAnotherCall = uriOf(header(other.final, 'Contact'));

    const forged = ['BYE', 'INVITE', 'INFO', 'MESSAGE'].flatMap((method) => [
      mallory.send(method, bob.address, dialog),
      mallory.send(method, bob.address, { ...dialog, headers: [route] }),
      mallory.send(method, uriOf(bob.contact), { ...dialog, headers: [route] }),
      mallory.send(method, sealedForAnotherCall, { ...dialog, headers: [route] }),
    ]);
    const statuses = await Promise.all(forged.map(async (exchange) => (await mallory.final(exchange)).status));

    expect(statuses).toEqual(forged.map(() => 403));
    await endCall(other, alice, bob);
    await endCall(call, alice, bob);
    expect(requestsSeenBy(bob)).toEqual([]);
  });
});

describe('no open relay', () => {
  it.each([
    ['another domain', () => 'sip:anybody@example.org'],
    ['an address of the network', (victim: SipClient) => `sip:anybody@127.0.0.1:${victim.transport.port}`],
    ['a telephone number', () => 'tel:+15551234567'],
  ])('leads an account to %s', async (_what, uriFor) => {
    const [alice, victim] = [await registered('alice'), await stranger()];
    const uri = uriFor(victim);

    for (const method of ['INVITE', 'MESSAGE', 'OPTIONS']) {
      expect((await alice.request(method, uri)).final.status).toBeGreaterThanOrEqual(400);
    }
    expect(victim.received).toEqual([]);
  });

  it('is opened by a Route that the client brings along', async () => {
    const [alice, bob, victim] = [await registered('alice'), await registered('bob'), await stranger()];
    const route = `<sip:127.0.0.1:${victim.transport.port};lr>`;
    const sending = alice.request('MESSAGE', bob.address, { body: 'hello', headers: [['Route', route]] });

    bob.reply(await bob.incoming('MESSAGE'), 200);

    expect((await sending).final.status).toBe(200);
    expect(victim.received).toEqual([]);
  });

  it('is opened by a second Route within a call', async () => {
    const [alice, bob, victim] = [await registered('alice'), await registered('bob'), await stranger()];
    const call = await establishCall(alice, bob);
    const route = `<sip:127.0.0.1:${victim.transport.port};lr>`;

    const sent = alice.withinCall(call, 'INFO', { headers: [['Route', route]], sequence: 10 });

    expect((await alice.final(sent)).status).toBe(403);
    await endCall(call, alice, bob);
    expect(victim.received).toEqual([]);
  });

  it('is opened by an established call: its requests reach its parties only', async () => {
    const [alice, bob, victim] = [await registered('alice'), await registered('bob'), await stranger()];
    const call = await establishCall(alice, bob);
    const elsewhere = `sip:bob@127.0.0.1:${victim.transport.port}`;
    const sealed = uriOf(header(call.final, 'Contact')).replace(/^sip:[^;]+/, elsewhere);

    const plain = alice.withinCall(call, 'INFO', { target: elsewhere, sequence: 10 });
    expect((await alice.final(plain)).status).toBe(403);

    const disguised = alice.withinCall(call, 'INFO', { target: sealed, sequence: 11 });
    bob.reply(await bob.incoming('INFO'), 200);
    expect((await alice.final(disguised)).status).toBe(200);

    await endCall(call, alice, bob);
    expect(victim.received).toEqual([]);
  });

  it('is opened by registering the address of somebody else', async () => {
    const [alice, victim] = [await registered('alice'), await stranger()];
    const account: Account = await registerAccount('bob');
    const bob = await open(account);
    const contact = `<sip:${account.username}@127.0.0.1:${victim.transport.port}>`;
    const { final } = await bob.request('REGISTER', `sip:${platform.domain}`, {
      to: bob.address,
      headers: [
        ['Contact', contact],
        ['Expires', '300'],
      ],
    });
    expect(final.status).toBe(200);

    await deliverAfter(alice, bob);

    expect(victim.received).toEqual([]);
  });
});
