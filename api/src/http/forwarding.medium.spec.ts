import { afterEach, expect, it } from '@jest/globals';
import { TestApp } from '../testing/app.js';
import { RATE_LIMITS } from './rate-limits.js';

let app: TestApp;
afterEach(() => app.stop());

/** As many logins as an address has in a minute, and one more: the last status says whether they counted as one client's. */
async function statusBeyondLimit(headersOf: (call: number) => Record<string, string>): Promise<number | undefined> {
  let status: number | undefined;
  for (let call = 0; call <= RATE_LIMITS.login.calls; call += 1) {
    const attempt = app.http.post('/api/v1/account/login').set(headersOf(call));
    ({ status } = await attempt.send({ username: `nobody_${call}`, password: 'x' }));
  }
  return status;
}

const forged = (call: number) => ({
  'x-forwarded-for': `192.0.2.${call}`,
  forwarded: `for=192.0.2.${call}`,
  'x-real-ip': `192.0.2.${call}`,
});

it.each([
  ['no proxy is trusted', ''],
  ['the peer is not a proxy that is trusted', '198.51.100.0/24'],
])('believes no forwarding header when %s', async (_when, proxies) => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: proxies });
  expect(await statusBeyondLimit(forged)).toBe(429);
});

it('believes a proxy that it trusts, and nothing that the client put before', async () => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1' });
  expect(await statusBeyondLimit((call) => ({ 'x-forwarded-for': `192.0.2.${call}, 203.0.113.5` }))).toBe(429);
  expect(await statusBeyondLimit((call) => ({ 'x-forwarded-for': `203.0.113.5, 192.0.2.${call}` }))).toBe(401);
});

it('counts the whole network of an IPv6 client behind a proxy', async () => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1' });
  expect(await statusBeyondLimit((call) => ({ 'x-forwarded-for': `2001:db8:1:2::${call}` }))).toBe(429);
  expect(await statusBeyondLimit((call) => ({ 'x-forwarded-for': `2001:db8:1:${call}::1` }))).toBe(401);
});
