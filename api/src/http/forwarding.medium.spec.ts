import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TestApp } from '../testing/app.js';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1' });
});
afterAll(() => app.stop());

it('believes no forwarding header when no proxy is trusted', async () => {
  const statuses: number[] = [];
  for (let call = 0; call < 31; call += 1) {
    const attempt = app.http.post('/api/v1/account/login').set('x-forwarded-for', `192.0.2.${call}`);
    statuses.push((await attempt.send({ username: 'nobody_here', password: 'x' })).status);
  }
  expect(statuses.at(-1)).toBe(429);
});
