/**
 * Two API processes behave as one: who is there, what is sent, which connection stays, what has ended. What they tell each
 * other goes through Valkey; when that is away each goes on by itself, and they find each other again.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { examine, findingOf, TRUSTING } from '../support/doctor.js';
import { OwnApi } from '../support/own-api.js';
import { SocketClient } from '../support/socket-client.js';
import { Valkey } from '../support/valkey.js';
import { until } from '../support/wait.js';

const apis: OwnApi[] = [];
const clients: SocketClient[] = [];
let valkey: Valkey;
let alice: Account;

beforeAll(async () => {
  valkey = await Valkey.start();
  alice = await registerAccount();
  apis.push(...(await Promise.all([startApi(), startApi()])));
  await until('they hear each other', () => seeEachOther(1));
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  await valkey.stop();
});

const startApi = () => OwnApi.start({ REDIS_URL: valkey.url });

/** Whether each process hears of so many others. */
async function seeEachOther(others: number): Promise<boolean> {
  const peers = await Promise.all(apis.map((api) => api.metric('veil_bus_peers')));
  return peers.every((count) => count === others);
}

async function device(account: Account = alice): Promise<string> {
  const device_id = uniqueName('device');
  await account.api.post('/devices/register', { device_id, pubkey: 'key' });
  return device_id;
}

/** What each process says of itself and of Valkey. */
async function readiness(): Promise<string[]> {
  const answers = await Promise.all(
    apis.map((api) => api.client().get('/health/ready', { baseURL: `http://127.0.0.1:${api.port}` })),
  );
  return answers.map(({ data }) => `${data.status}, valkey ${data.neighbours.valkey.state}`);
}

const doctorSays = async () => findingOf(await examine(TRUSTING, { REDIS_URL: valkey.url }), 'server.valkey');

/** A device at one of the processes. */
async function connect(id: string, at: number, account: Account = alice): Promise<SocketClient> {
  const headers = { authorization: `Bearer ${account.token}` };
  const client = await SocketClient.connect(`/signal?device_id=${id}`, { headers }, apis[at]!.port);
  clients.push(client);
  expect(await client.next()).toMatchObject({ type: 'connected', device_id: id });
  return client;
}

/** Whether a process says that a device is online. */
async function isOnline(id: string, at: number, account: Account = alice): Promise<boolean> {
  const { data } = await apis[at]!.client(account.token).get('/devices');
  return data.find((known: { id: string }) => known.id === id).is_online;
}

const offer = (target: string, n: number) => ({ type: 'offer', target_device_id: target, payload: { n }, id: n });

/** Sends until it is said to have arrived: the other process may not yet have been told of the target. */
async function delivered(sender: SocketClient, target: string): Promise<void> {
  let n = 0;
  await until(`${target} is reached`, async () => {
    n += 1;
    return (await sender.send(offer(target, n)).next()).type === 'ack';
  });
}

describe('two processes', () => {
  it('know of each other’s devices, and deliver to them in order and once', async () => {
    const [one, two] = [await device(), await device()];
    const sender = await connect(one, 0);
    const receiver = await connect(two, 1);
    await until('the other process knows', () => isOnline(two, 0));
    for (let n = 0; n < 200; n += 1) sender.send(offer(two, n));
    for (let n = 0; n < 200; n += 1) {
      expect(await receiver.next()).toEqual({ ...offer(two, n), sender_device_id: one });
      expect(await sender.next()).toEqual({ type: 'ack', message: `Message delivered to ${two}`, id: n });
    }
    receiver.close();
    await until('the other process knows that it has gone', async () => !(await isOnline(two, 0)));
    expect(await sender.send(offer(two, 200)).next()).toMatchObject({ reason: 'target-unavailable' });
    expect(await valkey.subscribers()).toBe(2);
  });

  it('leave a device one connection, the last', async () => {
    const id = await device();
    const first = await connect(id, 0);
    const second = await connect(id, 1);
    expect(await first.end()).toEqual({ code: 1008, reason: 'Replaced by new connection' });
    const third = await connect(id, 0);
    expect(await second.end()).toEqual({ code: 1008, reason: 'Replaced by new connection' });
    expect([await isOnline(id, 0), await isOnline(id, 1)]).toEqual([true, true]);
    // However many come at once, one stays.
    const many = await Promise.all(Array.from({ length: 8 }, (_, n) => connect(id, n % 2).catch(() => undefined)));
    await until('one is left', () => many.filter((client) => client && !client.closed).length === 1);
    expect(third.closed).toBeDefined();
  });

  it('end the connections of what the other has ended, within five seconds', async () => {
    const bob = await registerAccount();
    const [revoked, loggedOut] = [await device(bob), await device(bob)];
    const one = await connect(revoked, 1, bob);
    const other = await connect(loggedOut, 1, bob);
    const began = performance.now();
    expect((await apis[0]!.client(bob.token).delete(`/devices/${revoked}`)).status).toBe(200);
    expect((await one.end()).code).toBe(1008);
    await apis[0]!.client(bob.token).post('/account/logout');
    expect((await other.end()).code).toBe(1008);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('say so when one of them stops, and close with 1012; and notice when one is killed', async () => {
    const id = await device();
    const client = await connect(id, 1);
    await until('the other process knows', () => isOnline(id, 0));
    await apis[1]!.stop();
    expect(await client.end()).toEqual({ code: 1012, reason: 'Service restart' });
    await until('the other process knows that it has gone', async () => !(await isOnline(id, 0)));
    apis[1] = await startApi();
    await until('they hear each other', () => seeEachOther(1));
    await connect(id, 1);
    await until('the other process knows', () => isOnline(id, 0));
    await apis[1]!.kill();
    await until('the other process notices', async () => !(await isOnline(id, 0)));
    apis[1] = await startApi();
    await until('they hear each other', () => seeEachOther(1));
  });
});

describe('while Valkey is away', () => {
  it('each goes on by itself, revocations end connections, and afterwards all is as before', async () => {
    const bob = await registerAccount();
    const [one, two, here, lost] = [await device(), await device(), await device(), await device(bob)];
    const sender = await connect(one, 0);
    const receiver = await connect(two, 1);
    await connect(here, 0);
    const ending = await connect(lost, 1, bob);
    await delivered(sender, two);
    await receiver.next();
    await valkey.stop();
    expect(await sender.send(offer(here, 1)).next()).toMatchObject({ type: 'ack' });
    expect(await sender.send(offer(two, 1)).next()).toMatchObject({ reason: 'target-unavailable', retryable: true });
    await apis[0]!.client(bob.token).post('/account/logout');
    expect((await ending.end()).code).toBe(1008);
    await until('they know that they are alone', () => seeEachOther(0));
    expect(await readiness()).toEqual(Array(2).fill('degraded, valkey down'));
    expect(await doctorSays()).toMatchObject({ severity: 'fault', remedy: expect.stringContaining('REDIS_URL') });
    // Two connections of one device, which nobody can know of.
    const twin = await connect(one, 1);
    await valkey.resume();
    await until('they hear each other again', () => seeEachOther(1));
    await until('they say so', async () => (await readiness()).every((state) => state === 'ready, valkey up'));
    expect(await doctorSays()).toMatchObject({ severity: 'ok' });
    await until('one of the twins is left', () => [sender, twin].filter(({ closed }) => !closed).length === 1);
    const left = sender.closed ? twin : sender;
    await delivered(left, two);
    await delivered(left, here);
  });
});
