import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TestApp } from '../testing/app.js';
import { operationsOf } from '../testing/operations.js';
import { DOCUMENTATION_POLICY, SECURITY_HEADERS } from './headers.js';

const ORIGIN = 'https://app.example.org';

let app: TestApp;
beforeAll(async () => {
  app = await TestApp.start({ CORS_ORIGIN: ORIGIN, RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1' });
});
afterAll(() => app.stop());

const login = () => app.http.post('/api/v1/account/login').type('json');

/** The last of so many logins from one address is one too many. */
async function limited() {
  const address = '192.0.2.9';
  for (let call = 0; call < 30; call += 1) await login().set('x-forwarded-for', address).send({});
  return login().set('x-forwarded-for', address).set('origin', ORIGIN).send({});
}

const answers: [status: number, what: string, ask: () => PromiseLike<{ status: number; headers: object }>][] = [
  [200, 'a good answer', () => app.http.get('/api/v1/server/info')],
  [200, 'one to HEAD', () => app.http.head('/api/v1/server/info')],
  [204, 'a question about CORS', () => app.http.options('/api/v1/account/login').set(preflight)],
  [400, 'what is no JSON', () => login().send('{')],
  [400, 'a malformed URL', () => app.http.get('/%E0%A4%A')],
  [400, 'a path that is too long', () => app.http.get(`/api/v1/groups/${'x'.repeat(600)}/members`)],
  [401, 'no token', () => app.http.get('/api/v1/groups')],
  [404, 'an unknown route', () => app.http.get('/nothing')],
  [404, 'an unknown method', () => app.http.patch('/api/v1/server/info')],
  [404, 'a route of the other listener', () => app.http.get('/metrics')],
  [413, 'a body that is too long', () => login().send({ username: 'x'.repeat(70_000) })],
  [415, 'another type', () => login().type('form').send({ a: 'b' })],
  [422, 'a field that is missing', () => login().send({})],
  [429, 'too many requests', limited],
];
const preflight = { origin: ORIGIN, 'access-control-request-method': 'POST' };

it.each(answers)('%d, %s, says how it may be used and nothing of the server', async (status, _what, ask) => {
  const { status: actual, headers } = await ask();
  expect(actual).toBe(status);
  expect(headers).toMatchObject(SECURITY_HEADERS);
  expect(headers).toHaveProperty('x-request-id', expect.stringMatching(/^[0-9a-f]{8}-\w+$/));
  for (const name of ['server', 'x-powered-by', 'etag', 'set-cookie']) expect(headers).not.toHaveProperty(name);
});

it.each(['/docs', '/docs/openapi.json', '/docs/swagger-ui.css'])(
  '%s is a page of its own, and no more',
  async (path) => {
    const { status, headers } = await app.http.get(path);
    expect([status, headers['content-security-policy']]).toEqual([200, DOCUMENTATION_POLICY]);
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' });
  },
);

it('lets a permitted origin read that it was refused, and tells an unknown one nothing', async () => {
  const { headers } = await limited();
  expect(headers).toMatchObject({
    'access-control-allow-origin': ORIGIN,
    'retry-after': expect.stringMatching(/^\d+$/),
  });
});

it('lets a page of a permitted origin ask in every way that a route is asked in', async () => {
  const operations = await operationsOf(app);
  expect(new Set(operations.map(({ method }) => method))).toEqual(new Set(['get', 'post', 'put', 'patch', 'delete']));
  for (const { title, method, path } of operations) {
    const wanted = method.toUpperCase();
    const asked = { origin: ORIGIN, 'access-control-request-method': wanted };
    const { status, headers } = await app.http.options(path.replace(/\{\w+\}/g, 'x')).set(asked);
    const methods = String(headers['access-control-allow-methods']).split(/,\s*/);
    expect([title, status, methods]).toEqual([title, 204, expect.arrayContaining([wanted])]);
  }
});

it('lets it read when to try again, by which id to ask about it, and why it is to log in', async () => {
  const { headers } = await app.http.get('/api/v1/groups').set('origin', ORIGIN);
  const exposed = String(headers['access-control-expose-headers']).toLowerCase().split(/,\s*/);
  expect(exposed).toEqual(['retry-after', 'x-request-id', 'www-authenticate', 'content-disposition']);
});
