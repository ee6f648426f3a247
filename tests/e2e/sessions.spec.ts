/**
 * A phone is lost: its session is ended from another device, and with it everything that runs on it: REST on every API
 * process, its XMPP stream and its SIP registration. What is not the lost phone's goes on.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AxiosInstance } from 'axios';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';
import { SipClient } from '../support/sip-client.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';

/** From the answer that a session has ended until its tokens are dead everywhere. */
const REST_WITHIN_MS = 1000;
/** The same for streams and registrations. */
const STREAMS_WITHIN_MS = 5000;

let otherProcess: OwnApi;
const phones: SipClient[] = [];

beforeAll(async () => {
  otherProcess = await OwnApi.start({});
});

afterEach(async () => {
  for (const phone of phones.splice(0)) phone.close();
  await closeXmppClients();
});

afterAll(() => otherProcess.stop());

/** A device on which somebody is logged in everywhere. */
interface Device {
  id: string;
  sessionId: string;
  api: AxiosInstance;
  elsewhere: AxiosInstance;
  stream: XmppClient;
  phone: SipClient;
}

async function openDevice(account: Account): Promise<Device> {
  const id = randomUUID();
  const { data } = await apiClient().post('/account/login', { ...credentials(account), device_id: id });
  const phone = await SipClient.open(account);
  phones.push(phone);
  const stream = await XmppClient.connect(account, { resource: id });
  expect((await register(phone, id)).status).toBe(200);
  const device = { id, sessionId: data.session_id, api: apiClient(data.token) };
  return { ...device, elsewhere: otherProcess.client(data.token), stream, phone };
}

const credentials = ({ username, password }: Account) => ({ username, password });

/** A registration that names its device (RFC 5626 §4.1). */
function register(phone: SipClient, deviceId: string) {
  const contact = `${phone.contact};+sip.instance="<urn:uuid:${deviceId}>"`;
  const target = phone.address;
  return phone
    .request('REGISTER', target.replace(/^sip:[^@]*@/, 'sip:'), {
      to: target,
      headers: [
        ['Contact', contact],
        ['Expires', '300'],
      ],
    })
    .then(({ final }) => final);
}

/** The devices that are registered, by a REGISTER that only asks (RFC 3261 §10.2.3). */
async function registered(phone: SipClient): Promise<string[]> {
  const { final } = await phone.request('REGISTER', phone.address.replace(/^sip:[^@]*@/, 'sip:'), {
    to: phone.address,
  });
  expect(final.status).toBe(200);
  const contacts = final.headers.filter(([name]) => name === 'Contact').map(([, value]) => value);
  return [...contacts.join().matchAll(/urn:uuid:([^>"]*)/g)].map(([, id]) => id as string);
}

const statusOf = async (api: AxiosInstance) => (await api.get('/groups')).status;

/** Everything of the device has ended, within the time that is promised from `endedAt` on. */
async function expectEnded(device: Device, witness: SipClient, endedAt: number): Promise<void> {
  const left = (within: number) => ({ timeoutMs: within - (performance.now() - endedAt) });
  for (const api of [device.api, device.elsewhere]) {
    await until('the tokens are dead', async () => (await statusOf(api)) === 401, left(REST_WITHIN_MS));
  }
  await until('the stream has ended', () => device.stream.closed, left(STREAMS_WITHIN_MS));
  await until(
    'the registration has ended',
    async () => !(await registered(witness)).includes(device.id),
    left(STREAMS_WITHIN_MS),
  );
}

async function expectAlive(device: Device): Promise<void> {
  expect([await statusOf(device.api), await statusOf(device.elsewhere)]).toEqual([200, 200]);
  expect(await device.stream.contacts()).toEqual([]);
  expect(device.stream.closed).toBeNull();
  expect(await registered(device.phone)).toContain(device.id);
}

describe('a lost phone', () => {
  it('is logged out from another device, and everything that runs on it ends', async () => {
    const account = await registerAccount('lost');
    const [lost, kept] = [await openDevice(account), await openDevice(account)];
    await Promise.all([expectAlive(lost), expectAlive(kept)]);
    const { data } = await kept.api.get('/account/sessions');
    expect(data.sessions.map((session: { device_id: string }) => session.device_id)).toContain(lost.id);
    const answer = await kept.api.delete(`/account/sessions/${lost.sessionId}`);
    expect([answer.status, answer.data]).toEqual([200, { status: 'ended' }]);
    await expectEnded(lost, kept.phone, performance.now());
    await expectAlive(kept);
  });

  it('is logged out with everything else but the device in hand', async () => {
    const account = await registerAccount('lost');
    const [lost, kept] = [await openDevice(account), await openDevice(account)];
    const unknown = await XmppClient.connect(account, { resource: 'some-other-client' });
    expect((await kept.api.delete('/account/sessions')).status).toBe(200);
    await expectEnded(lost, kept.phone, performance.now());
    await unknown.ended();
    await expectAlive(kept);
  });

  it('can log itself out', async () => {
    const account = await registerAccount('lost');
    const [mine, other] = [await openDevice(account), await openDevice(account)];
    expect((await mine.elsewhere.post('/account/logout')).status).toBe(200);
    await expectEnded(mine, other.phone, performance.now());
    await expectAlive(other);
  });
});

describe('a password that somebody else has learnt', () => {
  it('is changed: the old one opens nothing any more, and only the device in hand goes on', async () => {
    const account = await registerAccount('leaked');
    const [thief, mine] = [await openDevice(account), await openDevice(account)];
    const wanted = 'another good passphrase';
    const answer = await mine.api.put('/account/password', { password: account.password, new_password: wanted });
    expect([answer.status, answer.data]).toEqual([200, { status: 'changed' }]);

    const changed = { ...account, password: wanted };
    const phone = await SipClient.open(changed);
    phones.push(phone);
    await expectEnded(thief, phone, performance.now());
    expect([await statusOf(mine.api), mine.stream.closed]).toEqual([200, null]);

    expect((await apiClient().post('/account/login', credentials(account))).status).toBe(401);
    expect((await thief.phone.register()).status).toBe(403);
    await expect(XmppClient.connect(account)).rejects.toThrow('not-authorized');

    expect((await apiClient().post('/account/login', credentials(changed))).status).toBe(200);
    expect(await registered(phone)).toEqual([mine.id]);
    await XmppClient.connect(changed);
  });
});

it('a login takes as long for a name that nobody has as for a wrong password', async () => {
  const { username } = await registerAccount('timed');
  const known: number[] = [];
  const unknown: number[] = [];
  const time = async (times: number[], name: string) => {
    const startedAt = performance.now();
    expect((await apiClient().post('/account/login', { username: name, password: 'wrong' })).status).toBe(401);
    times.push(performance.now() - startedAt);
  };
  for (let each = 0; each < 200; each += 1) {
    const order = [() => time(known, username), () => time(unknown, `${username}x`)];
    for (const one of each % 2 ? order : order.reverse()) await one();
  }
  const median = (times: number[]) => times.toSorted((a, b) => a - b)[times.length / 2] as number;
  process.stdout.write(
    `median of a wrong password ${median(known).toFixed(2)} ms, of an unknown name ${median(unknown).toFixed(2)} ms\n`,
  );
  expect(Math.abs(median(known) / median(unknown) - 1)).toBeLessThan(0.2);
});
