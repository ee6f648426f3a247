/** RFC 8599: a phone says in its SIP contact how it is woken, and nobody but the registry of devices learns it. */
import { createECDH, randomUUID } from 'node:crypto';
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { findInDatabases, writeToVeil } from '../support/databases.js';
import { serverPids } from '../support/host.js';
import { barrier, endCall, establishCall, registeredClient, startCall } from '../support/sip-call.js';
import { type RequestOptions, SipClient } from '../support/sip-client.js';
import { format, type Header, header, headersOf, isRequest, type SipResponse } from '../support/sip-message.js';
import type { TransportName } from '../support/sip-transport.js';
import { until } from '../support/wait.js';

const clients: SipClient[] = [];
/** All that a client received: also what it has taken from its inbox. */
const arrived = new Map<SipClient, string[]>();

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function watch(client: SipClient): SipClient {
  clients.push(client);
  const texts: string[] = [];
  arrived.set(client, texts);
  client.onArrival = (message) => texts.push(format(message));
  return client;
}

const token = (): string => uniqueName('token').replace(/_/g, '');
const parameters = (provider: string, param: string, prid: string): string =>
  `;pn-provider=${provider};pn-param=${param};pn-prid=${prid}`;
const apns = (prid: string, provider = 'apns'): string =>
  parameters(provider, 'ABCDE12345.com.example.veil.voip', prid);

async function phone(account: Account, contact: string, transport: TransportName = 'udp'): Promise<SipClient> {
  const client = watch(await SipClient.open(account, transport));
  client.contactParameters = contact;
  return client;
}

/** Registers a contact with header parameters of its own, such as an instance. */
async function registerAs(client: SipClient, after: string, expires = 300, options: RequestOptions = {}) {
  const headers: Header[] = [
    ['Contact', `${client.contact}${after}`],
    ['Expires', String(expires)],
  ];
  const to = client.address;
  return (await client.request('REGISTER', client.address.replace(/.*@/, 'sip:'), { ...options, to, headers })).final;
}

const services = (response: SipResponse): string => header(response, 'Feature-Caps');
const ALL_SERVICES = '*;+sip.pns="apns,apns.dev,fcm,webpush"';

const devicesOf = ({ jid }: Account) =>
  writeToVeil(
    (sql) => sql`
      SELECT device_uuid, platform, push_token, app_id, environment, p256dh, auth FROM push_registrations
      WHERE jid = ${jid} ORDER BY device_uuid`,
  );

const devices = (account: Account, count: number) =>
  until(`${account.username} has ${count} devices`, async () => {
    const rows = await devicesOf(account);
    return rows.length === count && rows;
  });

/** What the API is told in order it knows once it knows this. */
async function heardAll(): Promise<void> {
  const other = await registerAccount('other');
  await (await phone(other, apns(token()))).register();
  await devices(other, 1);
}

describe('push parameters in the contact of a REGISTER', () => {
  it.each<[string, TransportName, object]>([
    ['apns', 'udp', { platform: 'ios', environment: 'production' }],
    ['apns.dev', 'tls', { platform: 'ios', environment: 'sandbox' }],
    ['APNS', 'wss', { platform: 'ios', environment: 'production' }],
  ])('register an iPhone (%s over %s)', async (provider, transport, expected) => {
    const alice = await registerAccount('alice');
    const prid = token();
    const instance = randomUUID();
    const client = await phone(alice, apns(prid, provider), transport);
    const answer = await registerAs(client, `;+sip.instance="<urn:uuid:${instance}>"`);
    expect([answer.status, services(answer)]).toEqual([200, `*;+sip.pns="${provider.toLowerCase()}"`]);
    const row = { device_uuid: instance, push_token: prid, app_id: 'com.example.veil', p256dh: null, auth: null };
    expect(await devices(alice, 1)).toEqual([{ ...row, ...expected }]);
  });

  it('register an Android phone without an instance, under the same name each time', async () => {
    const alice = await registerAccount('alice');
    const client = await phone(alice, parameters('fcm', 'project-1', 'fcm%3Atoken:with%2Fmore'), 'tcp');
    expect((await client.register()).status).toBe(200);
    const [first] = await devices(alice, 1);
    expect(first).toMatchObject({ platform: 'android', push_token: 'fcm:token:with/more', app_id: 'project-1' });
    await client.register();
    await heardAll();
    expect(await devicesOf(alice)).toEqual([first]);
  });

  it('register a browser with the keys of its subscription', async () => {
    const alice = await registerAccount('alice');
    const keys = { p256dh: createECDH('prime256v1').generateKeys('base64url'), auth: 'AAECAwQFBgcICQoLDA0ODw' };
    const endpoint = `https://push.example.com/${'x'.repeat(1900)}?id=1;2`;
    const contact = parameters('webpush', `${keys.p256dh}.${keys.auth}`, encodeURIComponent(endpoint));
    expect((await (await phone(alice, contact, 'wss')).register()).status).toBe(200);
    expect(await devices(alice, 1)).toMatchObject([{ platform: 'web', push_token: endpoint, ...keys }]);
  });

  it('are not needed: every phone is told which services there are', async () => {
    const alice = await registerAccount('alice');
    for (const contact of ['', ';pn-provider']) {
      const answer = await (await phone(alice, contact)).register();
      expect([answer.status, services(answer)]).toEqual([200, ALL_SERVICES]);
    }
    await heardAll();
    expect(await devicesOf(alice)).toEqual([]);
  });

  it.each([
    ['an unknown service', parameters('carrier-pigeon', 'a.b', 'c'), 555],
    ['a browser without keys', parameters('webpush', 'a', 'https:%2f%2fpush.example.com'), 555],
    ['no token', ';pn-provider=fcm;pn-param=project-1', 400],
    ['an app without a team', parameters('apns', 'bundle', 'c'), 400],
    ['what no URI may hold', parameters('fcm', 'a"b', 'c'), 400],
    ['no UTF-8', parameters('fcm', 'a', 'c\u00e9'), 400],
    ['a token that is too long', parameters('fcm', 'project-1', 'x'.repeat(2049)), 400],
    ['a contact without an end', parameters('fcm', 'project-1', 'x'.repeat(9000)), 400],
  ])('are refused with %s, and nothing is registered', async (_, contact, status) => {
    const alice = await registerAccount('alice');
    const client = await phone(alice, contact, 'tcp');
    expect((await client.register()).status).toBe(status);
    client.contactParameters = '';
    expect((await client.request('MESSAGE', client.address, { body: 'hello' })).final.status).toBe(480);
    await heardAll();
    expect(await devicesOf(alice)).toEqual([]);
  });

  it('are those of the account that has proved to be there', async () => {
    const alice = await registerAccount('alice');
    const client = await phone({ ...alice, password: 'Pw-that-is-wrong' }, apns(token()));
    expect((await client.register()).status).toBe(403);
    await heardAll();
    expect(await devicesOf(alice)).toEqual([]);
  });

  it('forget the device when it takes its contact back, and not when its connection is gone', async () => {
    const alice = await registerAccount('alice');
    const [first, second] = [token(), token()];
    const client = await phone(alice, apns(first), 'tcp');
    await registerAs(client, ';+sip.instance="<urn:uuid:one>"');
    const lost = await phone(alice, apns(second), 'tcp');
    await registerAs(lost, ';+sip.instance="<urn:uuid:two>"');
    await devices(alice, 2);
    lost.close();
    const gone = await registerAs(client, ';+sip.instance="<urn:uuid:one>";expires=0', 300);
    expect(gone.status).toBe(200);
    expect(await devices(alice, 1)).toMatchObject([{ device_uuid: 'two', push_token: second }]);
    const again = await phone(alice, apns(second), 'tcp');
    await registerAs(again, ';+sip.instance="<urn:uuid:two>"');
    await registerAs(again, ';+sip.instance="<urn:uuid:two>"', 0);
    await devices(alice, 0);
  });

  it('arrive when the API is back', async () => {
    const alice = await registerAccount('alice');
    const [kept, taken] = [await phone(alice, apns(token())), await phone(alice, apns(token()))];
    const { api } = await serverPids();
    process.kill(api, 'SIGKILL');
    await registerAs(kept, ';+sip.instance="<urn:uuid:kept>"');
    await registerAs(taken, ';+sip.instance="<urn:uuid:taken>"');
    await registerAs(taken, ';+sip.instance="<urn:uuid:taken>"', 0);
    await until('another API runs', async () => (await serverPids()).api !== api);
    await until('the device is known', async () => (await devicesOf(alice)).length > 0);
    await heardAll();
    expect(await devicesOf(alice)).toMatchObject([{ device_uuid: 'kept' }]);
  });
});

describe('push parameters', () => {
  /** None of the texts is in anything that the client received. */
  const expectNothingAt = (client: SipClient, texts: string[]): void => {
    const all = arrived.get(client)?.join('\n') ?? '';
    expect(all).toContain('SIP/2.0');
    for (const text of [...texts, 'pn-']) expect(all.toLowerCase()).not.toContain(text.toLowerCase());
  };

  it('reach no other party of a call, whoever calls', async () => {
    const [alice, bob] = [await registerAccount('alice'), await registerAccount('bob')];
    const tokens = [token(), token()];
    const [caller, callee] = [await phone(alice, apns(tokens[0]!)), await phone(bob, apns(tokens[1]!), 'tcp')];
    for (const client of [caller, callee]) await client.register();
    const call = await establishCall(caller, callee);
    await endCall(call, caller, callee);
    for (const client of [caller, callee]) expectNothingAt(client, tokens);
  });

  it('reach nobody with a redirection, a message or a Contact in compact form', async () => {
    const [alice, bob] = [await registerAccount('alice'), await registerAccount('bob')];
    const secrets = [token(), token(), token()];
    const [caller, callee] = [watch(await SipClient.open(alice)), await phone(bob, apns(secrets[0]!))];
    await callee.register();
    const call = await startCall(caller, callee.address);
    const invite = await callee.incoming('INVITE');
    const copied = ['Via', 'From', 'To', 'Call-ID', 'CSeq'].flatMap((name) =>
      headersOf(invite, name).map((value): Header => [name, value]),
    );
    callee.transport.send({ status: 302, headers: [...copied, ['Contact', callee.contact]], body: '' });
    caller.acknowledge(call, await caller.final(call));
    const sending = caller.request('MESSAGE', callee.address, {
      body: 'hello',
      headers: [['m', `<sip:alice@127.0.0.1;PN-PRID=${secrets[1]!}?x=y>;pn-param=${secrets[2]!}`]],
    });
    const message = await callee.incoming('MESSAGE');
    expect(isRequest(message)).toBe(true);
    callee.reply(message, 200);
    expect((await sending).final.status).toBe(200);
    await barrier(caller);
    for (const client of [caller, callee]) expectNothingAt(client, secrets);
  });

  it('are kept where devices are, and told to no other device of the account', async () => {
    const alice = await registerAccount('alice');
    const prid = token();
    const client = await phone(alice, apns(prid));
    const instance = ';+sip.instance="<urn:uuid:phone>"';
    expect((await registerAs(client, instance)).status).toBe(200);
    const sibling = watch(await SipClient.open(alice, 'tls'));
    const answer = await sibling.register();
    expect(headersOf(answer, 'Contact').join().match(/<sip:/g)).toHaveLength(2);
    await devices(alice, 1);
    for (const each of [client, sibling]) expectNothingAt(each, [prid]);
    expect((await findInDatabases(prid)).map(({ table }) => table)).toEqual(['push_registrations']);
  });

  it('let the phone be called as any other', async () => {
    const bob = await registerAccount('bob');
    const caller = watch(await registeredClient('alice'));
    const callee = await phone(bob, apns(token()), 'wss');
    await callee.register();
    const calling = caller.request('MESSAGE', callee.address, { body: 'hello', contentType: 'text/plain' });
    callee.reply(await callee.incoming('MESSAGE'), 200);
    expect((await calling).final.status).toBe(200);
  });
});
