/**
 * Two API processes count logins together: who guesses passwords gains nothing by asking the other. While Valkey is away each
 * lets half of it through; what they have counted meanwhile they tell each other when it is back.
 */
import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';
import { Valkey } from '../support/valkey.js';
import { until } from '../support/wait.js';

/** As in rate-limits.ts, within a minute. */
const FAILURES_OF_ADDRESS = 20;
const FAILURES_OF_ACCOUNT = 5;
const SHARE = FAILURES_OF_ADDRESS / 2;

let valkey: Valkey;
let apis: OwnApi[];

beforeAll(async () => {
  valkey = await Valkey.start();
  apis = await Promise.all([startApi(), startApi()]);
  await untilAll('veil_bus_peers', 1);
});
afterAll(async () => {
  await Promise.all(apis.map((api) => api.stop()));
  await valkey.stop();
});

/** It believes what a test says its address is. */
const startApi = () =>
  OwnApi.start({ REDIS_URL: valkey.url, RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1,::1' });

const untilAll = (metric: string, value: number) =>
  until(`each says ${metric} ${value}`, async () => {
    const values = await Promise.all(apis.map((api) => api.metric(metric)));
    return values.every((said) => said === value);
  });

const someAddress = () => `198.18.${randomInt(256)}.${randomInt(256)}`;

const login = (at: number, address: string, username: string, password = 'Wrong-password-1') =>
  apis[at]!.client().post('/account/login', { username, password }, { headers: { 'x-forwarded-for': address } });

/** Fails to log in under many names, one after the other; says how often that was looked at, until it is refused. */
async function guess(at: number, address: string, most = 2 * FAILURES_OF_ADDRESS): Promise<number> {
  for (let times = 0; times < most; times += 1) {
    const { status, headers } = await login(at, address, uniqueName('nobody'));
    if (status === 429) {
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      return times;
    }
    expect(status).toBe(401);
  }
  return most;
}

const guessAnAccount = async (at: number, { username }: Account, times: number) => {
  const statuses: number[] = [];
  for (let n = 0; n < times; n += 1) statuses.push((await login(at, someAddress(), username)).status);
  return statuses;
};

it('failed logins at one count at the other, by address and by account', async () => {
  const address = someAddress();
  expect(await guess(0, address, 12)).toBe(12);
  expect(await guess(1, address)).toBe(FAILURES_OF_ADDRESS - 12);
  expect(await guess(0, address)).toBe(0);

  const alice = await registerAccount();
  await guessAnAccount(0, alice, FAILURES_OF_ACCOUNT);
  const guesser = someAddress();
  await login(0, guesser, uniqueName('nobody'));
  // An address that has failed at the one is none to trust at the other; she herself is let in.
  expect((await login(1, guesser, alice.username)).status).toBe(429);
  expect((await login(1, someAddress(), alice.username, alice.password)).status).toBe(200);
});

it('a login that succeeds is given back everywhere', async () => {
  const alice = await registerAccount();
  const address = someAddress();
  for (let n = 0; n < 6; n += 1) expect((await login(n % 2, address, alice.username, alice.password)).status).toBe(200);
  expect(await guess(0, address)).toBe(FAILURES_OF_ADDRESS);
});

it('what one has counted is known to another that starts', async () => {
  const address = someAddress();
  await guess(0, address);
  await apis[1]!.stop();
  apis[1] = await startApi();
  await untilAll('veil_bus_peers', 1);
  await untilAll('veil_bus_connected', 1);
  expect(await guess(1, address)).toBe(0);
});

it('with Valkey killed each lets its share through and no more; afterwards they count together again', async () => {
  const [before, meanwhile, after] = [someAddress(), someAddress(), someAddress()];
  expect(await guess(0, before, SHARE + 2)).toBe(SHARE + 2);
  await valkey.stop();
  await untilAll('veil_bus_connected', 0);
  expect([await guess(0, before), await guess(1, before)]).toEqual([0, 0]);
  expect([await guess(0, meanwhile), await guess(1, meanwhile)]).toEqual([SHARE, SHARE]);
  // Messages and all else go on.
  expect((await apis[1]!.client().get('/server/info')).status).toBe(200);
  await valkey.resume();
  await untilAll('veil_bus_connected', 1);
  await untilAll('veil_bus_peers', 1);
  expect([await guess(0, meanwhile), await guess(1, meanwhile)]).toEqual([0, 0]);
  expect(await guess(0, after)).toBe(FAILURES_OF_ADDRESS);
  expect(await guess(1, after)).toBe(0);
});
