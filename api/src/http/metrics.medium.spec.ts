import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp } from '../testing/app.js';
import { InternalListener } from './internal-listener.js';

/** Ports on which nobody listens. */
const NOBODY = { RTPENGINE_NG_PORT: '9', TURN_PORT: '9' };
const SECRET = 'internal-0123456789abcdefghijklmnopqrst';

let app: TestApp;
let url: string;
let before: Map<string, number>;
beforeAll(async () => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1', ...NOBODY });
  await app.app.listen(0, '127.0.0.1');
  url = `http://127.0.0.1:${await app.app.get(InternalListener).listen(0, '127.0.0.1')}/metrics`;
});
beforeEach(async () => {
  before = await scrape();
});
afterAll(() => app.stop());

/** Each series with its value, as a scraper gets them. */
async function scrape(): Promise<Map<string, number>> {
  const answer = await fetch(url, { headers: { authorization: `Bearer ${SECRET}` } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([
    200,
    'text/plain; version=0.0.4; charset=utf-8',
  ]);
  const lines = (await answer.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** How much a series has grown since the test began. */
async function growthOf(series: string): Promise<number> {
  return ((await scrape()).get(series) ?? 0) - (before.get(series) ?? 0);
}

const requests = (method: string, route: string, status: number | string) =>
  `veil_http_request_seconds_count{method="${method}",route="${route}",status="${status}"}`;

it('are for who has the internal secret, on the internal listener', async () => {
  expect((await fetch(url)).status).toBe(401);
  expect((await fetch(url, { headers: { authorization: 'Bearer wrong' } })).status).toBe(401);
  expect((await app.http.get('/metrics').set('authorization', `Bearer ${SECRET}`)).status).toBe(404);
});

it('count requests by the template of their route, never by their URL', async () => {
  const { bearer } = await app.register();
  for (const id of ['one', 'two', 'three']) await app.http.get(`/api/v1/groups/${id}/members?x=${id}`).set(bearer);
  expect(await growthOf(requests('GET', '/api/v1/groups/:group_id/members', 404))).toBe(3);
  expect([...before.keys(), ...(await scrape()).keys()].filter((series) => /one|two|three/.test(series))).toEqual([]);
});

it('have one series for whatever is no route', async () => {
  for (const path of ['/a', '/b?token=c', '/api/v1/d', '/%E0%A4%A']) await app.http.get(path);
  await app.http.delete('/api/v1/e');
  expect((await growthOf(requests('any', 'unknown', 404))) + (await growthOf(requests('any', 'unknown', 400)))).toBe(5);
});

it('count who went away without an answer, and do not hold it for running', async () => {
  const { promise: asked, resolve: noteAsked } = Promise.withResolvers<void>();
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  const ping = app.ejabberd.ping;
  app.ejabberd.ping = () => {
    noteAsked();
    return held;
  };
  const client = new AbortController();
  const answer = fetch(`${await app.app.getUrl()}/health/ready`, { signal: client.signal });
  await asked;
  client.abort();
  await expect(answer).rejects.toThrow();
  while ((await growthOf(requests('GET', '/health/ready', 'aborted'))) !== 1) await new Promise(setImmediate);
  // This scrape is the one request that has no answer yet.
  expect((await scrape()).get('veil_http_requests_running')).toBe(1);
  app.ejabberd.ping = ping;
  letGo();
});

it('count registrations and logins by how they ended', async () => {
  const { username, password } = await app.register();
  const login = (body: object) => app.http.post('/api/v1/account/login').send(body);
  await login({ username, password });
  await login({ username, password: 'wrong' });
  await login({ username: 'nobody_here', password });
  await login({ username });
  await app.http.post('/api/v1/account/register').send({ username, password });
  expect(await growthOf('veil_logins_total{outcome="ok"}')).toBe(1);
  expect(await growthOf('veil_logins_total{outcome="invalid_credentials"}')).toBe(2);
  expect(await growthOf('veil_logins_total{outcome="validation_failed"}')).toBe(1);
  expect(await growthOf('veil_registrations_total{outcome="ok"}')).toBe(1);
  expect(await growthOf('veil_registrations_total{outcome="username_taken"}')).toBe(1);
});

it('count what goes beyond a limit', async () => {
  const login = () => app.http.post('/api/v1/account/login').set('x-forwarded-for', '192.0.2.77').send({});
  for (let call = 0; call < 33; call += 1) await login();
  expect(await growthOf('veil_rate_limit_exceeded_total{limit="login"}')).toBe(3);
});

describe('of neighbours', () => {
  it('tell how long the database takes, and how it is used', async () => {
    await app.register();
    expect(await growthOf('veil_neighbour_seconds_count{neighbour="postgresql",operation="INSERT"}')).toBeGreaterThan(
      0,
    );
    expect(
      await growthOf('veil_neighbour_seconds_count{neighbour="postgresql",operation="transaction"}'),
    ).toBeGreaterThan(0);
    const now = await scrape();
    expect(now.get('veil_database_connections_max')).toBe(10);
    expect(now.get('veil_database_connections')).toBeLessThanOrEqual(10);
    expect(now.get('veil_database_queries')).toBe(0);
  });

  it('tell who does not answer', async () => {
    await app.http.get('/health/ready');
    for (const neighbour of ['rtpengine', 'coturn']) {
      const series = `{neighbour="${neighbour}",operation="ping"}`;
      const now = await scrape();
      expect(now.get(`veil_neighbour_failures_total${series}`)).toBeGreaterThan(0);
      expect(now.get(`veil_neighbour_seconds_count${series}`)).toBe(now.get(`veil_neighbour_failures_total${series}`));
    }
  });
});

it('tell of the process and of its event loop', async () => {
  const now = await scrape();
  for (const name of ['process_resident_memory_bytes', 'nodejs_eventloop_lag_p99_seconds', 'process_open_fds']) {
    expect(now.get(name)).toBeGreaterThan(0);
  }
});
