import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { PROBLEMS } from '../common/problem.js';
import { TestApp } from '../testing/app.js';
import { InternalListener } from './internal-listener.js';

describe('the REST API', () => {
  let app: TestApp;
  let account: Awaited<ReturnType<TestApp['register']>>;
  beforeAll(async () => {
    // Nobody listens there.
    app = await TestApp.start({ RTPENGINE_NG_PORT: '9', TURN_PORT: '9' });
    account = await app.register();
  });
  afterAll(() => app.stop());

  const register = (body: string | object) =>
    app.http
      .post('/api/v1/account/register')
      .set('content-type', 'application/json')
      .send(typeof body === 'string' ? body : JSON.stringify(body));
  const accounts = async () => (await app.database.sql`SELECT 1 FROM accounts`).length;
  const password = 'correct horse';

  describe('bad input is refused by name and stores nothing', () => {
    const invalid: [what: string, field: string, body: object][] = [
      ['a missing field', 'password', { username: 'somebody' }],
      ['a wrong type', 'username', { username: 12_345, password }],
      ['an object for a string', 'username', { username: { $ne: '' }, password }],
      ['an array for a string', 'password', { username: 'somebody', password: [password] }],
      ['an unknown field', 'admin', { username: 'somebody', password, admin: true }],
      ['a field named constructor', 'constructor', { username: 'somebody', password, constructor: null }],
      ['a field that every object has', 'hasOwnProperty', { username: 'somebody', password, hasOwnProperty: 1 }],
      ['a code point that is no character', 'password', { username: 'somebody', password: 'correct \uffff horse' }],
      ['a name too short', 'username', { username: 'ab', password }],
      ['a name too long', 'username', { username: 'a'.repeat(33), password }],
      ['a look-alike letter (Cyrillic a)', 'username', { username: '\u0430lice', password }],
      ['a letter that folds to ASCII (Kelvin sign)', 'username', { username: '\u212aelvin', password }],
      ['a dotted capital I', 'username', { username: '\u0130smail', password }],
      ['a full-width letter', 'username', { username: '\uff41lice', password }],
      ['a space', 'username', { username: 'al ice', password }],
      ['a JID', 'username', { username: 'alice@veil.test', password }],
      ['a NUL', 'username', { username: 'ali\u0000ce', password }],
      ['a NUL in the password', 'password', { username: 'somebody', password: 'correct\u0000horse' }],
      ['a reserved name', 'username', { username: 'Admin', password }],
      ['a short password', 'password', { username: 'somebody', password: 'short' }],
      ['a long password', 'password', { username: 'somebody', password: 'x'.repeat(129) }],
      ['a common password', 'password', { username: 'somebody', password: 'Password123' }],
      ['the name as password', 'password', { username: 'somebody', password: 'SOMEBODY' }],
    ];
    it.each(invalid)('%s', async (_what, field, body) => {
      const before = await accounts();
      const answer = await register(body);
      expect(answer.status).toBe(422);
      expect(answer.type).toBe('application/problem+json');
      expect(answer.body).toMatchObject({
        code: 'validation_failed',
        status: 422,
        title: PROBLEMS.validation_failed[1],
      });
      expect(answer.body.errors.map((fault: { field: string }) => fault.field)).toContain(field);
      expect(await accounts()).toBe(before);
    });

    it('a lone surrogate', async () => {
      const answer = await register('{"username":"somebody","password":"correct \\ud800 horse"}');
      expect([answer.status, answer.body.errors[0].field]).toEqual([422, 'password']);
    });

    it.each([
      ['no JSON', '{"username":', 400],
      ['an array', '[{"username":"somebody","password":"correct horse"}]', 400],
      ['null', 'null', 400],
      ['a string', '"somebody"', 400],
      ['nothing', '', 400],
      ['a prototype', '{"username":"somebody","password":"correct horse","__proto__":{"x":1}}', 400],
      ['deep nesting', `{"username":${'['.repeat(20_000)}${']'.repeat(20_000)},"password":"x"}`, 422],
      ['a body over 64 KiB', JSON.stringify({ username: 'x'.repeat(70_000), password }), 413],
    ])('%s', async (_what, body, status) => {
      const answer = await register(body);
      expect(answer.status).toBe(status);
      expect(answer.body).toMatchObject({ status, request_id: expect.any(String), detail: expect.any(String) });
    });

    it('another content type', async () => {
      const answer = await app.http.post('/api/v1/account/login').type('form').send({ username: 'a', password });
      expect([answer.status, answer.body.code]).toEqual([415, 'unsupported_media_type']);
    });

    it.each(['/api/v1/groups/%00/members', '/api/v1/groups/1 OR 1=1/members', '/api/v1/groups/../../etc/members'])(
      'the path %s',
      async (path) => {
        const answer = await app.http.get(path).set(account.bearer);
        expect([400, 404]).toContain(answer.status);
        expect(answer.type).toBe('application/problem+json');
      },
    );

    it('a path that is too long', async () => {
      const answer = await app.http.get(`/api/v1/groups/${'x'.repeat(600)}/members`).set(account.bearer);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    });

    it('a malformed escape in the path', async () => {
      const answer = await app.http.get('/api/v1/groups/%E0%A4%A/members').set(account.bearer);
      expect([answer.status, answer.body.code]).toEqual([400, 'malformed_request']);
    });
  });

  describe('is closed by default', () => {
    const routes: [method: 'get' | 'post' | 'patch' | 'delete', path: string][] = [
      ['delete', '/account'],
      ['post', '/push/register'],
      ['delete', '/push/register'],
      ['get', '/turn/credentials'],
      ['get', '/groups'],
      ['post', '/groups'],
      ['patch', '/groups/x'],
      ['delete', '/groups/x'],
      ['get', '/groups/x/members'],
      ['post', '/groups/x/members'],
      ['patch', '/groups/x/members/y'],
      ['delete', '/groups/x/members/y'],
      ['post', '/groups/x/leave'],
    ];
    it.each(routes)('%s %s', async (method, path) => {
      const answer = await app.http[method](`/api/v1${path}`);
      expect([answer.status, answer.body.code]).toEqual([401, 'unauthenticated']);
      expect(answer.headers['www-authenticate']).toBe('Bearer');
    });

    const [header = '', payload = ''] = ['{"alg":"none"}', '{"sub":"x"}'].map((part) =>
      Buffer.from(part).toString('base64url'),
    );
    it.each([
      ['nonsense', 'nonsense'],
      ['an unsigned token', `${header}.${payload}.`],
      ['another signature', ''],
    ])('refuses %s', async (what, given) => {
      const token = what === 'another signature' ? `${account.token.slice(0, -6)}AAAAAA` : given;
      const answer = await app.http.get('/api/v1/groups').set('authorization', `Bearer ${token}`);
      expect(answer.status).toBe(401);
    });
  });

  it('says nothing of itself in its headers and lets nobody frame, sniff or cache', async () => {
    const { headers } = await app.http.get('/api/v1/server/info');
    expect(headers).toMatchObject({
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
    });
    expect(headers['x-request-id']).toMatch(/^[0-9a-f]{8}-\w+$/);
    expect(headers).not.toHaveProperty('x-powered-by');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  it.each(['application/json', 'application/json; charset=utf-8', 'application/x-www-form-urlencoded'])(
    'minds no type of a body that is not there: %s',
    async (type) => {
      const deleted = await app.http.delete('/api/v1/groups/nowhere').set(account.bearer).set('content-type', type);
      expect([deleted.status, deleted.body.code]).toEqual([404, 'not_found']);
      const needed = await app.http.post('/api/v1/account/login').set('content-type', type).send('');
      expect([needed.status, needed.body.code]).toEqual([400, 'malformed_request']);
    },
  );

  it('answers an unknown route with a problem document', async () => {
    const answer = await app.http.get('/api/v1/nothing');
    expect([answer.status, answer.body.code, answer.type]).toEqual([404, 'not_found', 'application/problem+json']);
  });

  it('shows the documentation and lists every error in it', async () => {
    expect((await app.http.get('/docs')).text).toContain('swagger');
    const document = (await app.http.get('/docs/openapi.json')).body;
    expect(document.paths).toHaveProperty('/api/v1/groups/{group_id}/members/{jid}');
    for (const code of Object.keys(PROBLEMS)) expect(document.info.description).toContain(code);
  });

  it('answers /health, and names each neighbour at /health/ready', async () => {
    expect((await app.http.get('/health')).body).toEqual({ status: 'ok', timestamp: expect.any(String) });
    const answer = await app.http.get('/health/ready');
    expect([answer.status, answer.body.status]).toEqual([200, 'degraded']);
    expect(answer.body.neighbours).toMatchObject({
      postgresql: { state: 'up' },
      ejabberd: { state: 'up' },
      kamailio: { state: 'up' },
      rtpengine: { state: 'down' },
      coturn: { state: 'down' },
      chat_push: { state: 'up' },
    });
  });

  describe('the internal listener', () => {
    const notify = { callee_username: 'nobody_here', caller_username: 'x', call_id: '1@x', call_type: 'audio' };
    let base: string;
    beforeAll(async () => {
      const port = await app.app.get(InternalListener).listen(0, '127.0.0.1');
      base = `http://127.0.0.1:${port}/api/v1`;
    });
    const post = async (secret: string, body: object) => {
      const headers = { 'content-type': 'application/json', authorization: `Bearer ${secret}` };
      const answer = await fetch(`${base}/push/call-notify`, { method: 'POST', headers, body: JSON.stringify(body) });
      return { status: answer.status, body: await answer.json() };
    };
    const right = 'internal-0123456789abcdefghijklmnopqrst';

    it('takes webhooks with the secret only, and says truthfully what it did', async () => {
      expect((await post('wrong', notify)).status).toBe(401);
      expect(await post(right, notify)).toEqual({
        status: 202,
        body: { status: 'no_registrations', sent: 0, registrations: 0 },
      });
      const device = { jid: account.jid, device_id: 'd1', platform: 'ios', push_token: 'abc', app_id: 'com.example' };
      await app.http.post('/api/v1/push/register').set(account.bearer).send(device);
      // The operator has set no APNS_KEY.
      expect((await post(right, { ...notify, callee_username: account.username })).body).toEqual({
        status: 'not_configured',
        sent: 0,
        registrations: 1,
      });
    });

    it('serves nothing else, and the public listener serves no webhook', async () => {
      expect((await fetch(`${base}/server/info`)).status).toBe(404);
      const bearer = `Bearer ${right}`;
      const answer = await app.http.post('/api/v1/push/call-notify').set('authorization', bearer).send(notify);
      expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
    });
  });
});

describe('the rate limits', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await TestApp.start({ RATE_LIMIT_FACTOR: '1', TRUSTED_PROXIES: '127.0.0.1' });
  });
  afterAll(() => app.stop());

  const refresh = (address: string) =>
    app.http.post('/api/v1/account/refresh').set('x-forwarded-for', address).send({ refresh_token: 'x' });

  it('slow one address down and leave another alone', async () => {
    const statuses: number[] = [];
    for (let call = 0; call <= 120; call += 1) statuses.push((await refresh('192.0.2.1')).status);
    expect(statuses.slice(0, 120)).toEqual(Array.from({ length: 120 }, () => 401));
    const refused = await refresh('192.0.2.1');
    expect([refused.status, refused.body.code]).toEqual([429, 'rate_limited']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await refresh('192.0.2.2')).status).toBe(401);
  });
});
