import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Metrics } from '../common/metrics.js';
import { TestApp } from '../testing/app.js';
import { partsOf, RawClient } from '../testing/raw-client.js';
import { SECURITY_HEADERS } from './headers.js';
import { InternalListener } from './internal-listener.js';

/** Short, so that a test can wait for them; a client that behaves takes a hundredth of it. */
const LIMITS = { headersMs: 500, requestMs: 1000, keepAliveMs: 500, stalledMs: 500, checkMs: 50, connections: 30 };

let app: TestApp;
let ports: Record<'public' | 'internal', number>;
const clients: RawClient[] = [];

beforeAll(async () => {
  app = await TestApp.start({}, LIMITS);
  await app.app.listen(0, '127.0.0.1');
  ports = {
    public: (app.app.getHttpServer().address() as AddressInfo).port,
    internal: await app.app.get(InternalListener).listen(0, '127.0.0.1'),
  };
});
afterAll(() => app.stop());
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function client(port: number): Promise<RawClient> {
  const opened = await RawClient.connect(port);
  clients.push(opened);
  return opened;
}

/** What the raw answer must be like, whatever it refuses. */
function expectProblem(answer: string, status: number, code: string): void {
  const { status: actual, headers, body } = partsOf(answer);
  expect([actual, JSON.parse(body)]).toMatchObject([status, { status, code, request_id: headers['x-request-id'] }]);
  expect(headers).toMatchObject({ ...SECURITY_HEADERS, connection: 'close' });
  expect(headers['content-type']).toBe('application/problem+json; charset=utf-8');
  expect(headers).not.toHaveProperty('server');
}

/** Asks again and again, as other clients do, until `work` is done: they have their answers meanwhile. */
async function othersUnharmedUntil(work: Promise<unknown>): Promise<void> {
  let done = false;
  const noted = work.finally(() => {
    done = true;
  });
  const statuses: number[] = [];
  while (!done) {
    const { status } = await fetch(`http://127.0.0.1:${ports.public}/health`);
    if (!done) statuses.push(status);
    await delay(20);
  }
  await noted;
  expect(new Set(statuses)).toEqual(new Set([200]));
}

describe.each(['public', 'internal'] as const)('on the %s listener', (listener) => {
  const opened = () => client(ports[listener]);

  it('headers that do not end are cut, and others are unharmed', async () => {
    const slow = (await opened()).send('GET /health HTTP/1.1', 'host: veil.test', '');
    await othersUnharmedUntil(slow.drip('x-drop: 1\r\n', 30));
    expectProblem(await slow.untilClosed(), 408, 'request_timeout');
  });

  it('a body that does not end is cut, and others are unharmed', async () => {
    const head = ['POST /api/v1/account/login HTTP/1.1', 'host: veil.test', 'content-type: application/json'];
    const slow = (await opened()).send(...head, 'content-length: 5000', '', '{');
    await othersUnharmedUntil(slow.drip(' ', 30));
    expectProblem(await slow.untilClosed(), 408, 'request_timeout');
  });

  it('fifteen slow clients at once change nothing for others', async () => {
    const slow = await Promise.all(Array.from({ length: 15 }, opened));
    const dripping = slow.map((each) => each.send('GET / HTTP/1.1', 'host: x', '').drip('a: b\r\n', 30));
    await othersUnharmedUntil(Promise.all(dripping));
  });

  it('a connection on which nothing comes is cut', async () => {
    expectProblem(await (await opened()).untilClosed(), 408, 'request_timeout');
  });

  it('a connection that has had its answer is closed after a while', async () => {
    const idle = (await opened()).send('GET /nothing HTTP/1.1', 'host: veil.test', '', '');
    expect(partsOf(await idle.untilClosed())).toMatchObject({ status: 404, headers: { connection: 'keep-alive' } });
  });

  it('who reads nothing of an answer is cut', async () => {
    const asset = ['GET /docs/swagger-ui-bundle.js HTTP/1.1', 'host: veil.test', '', ''];
    const greedy = (await opened()).readNothing();
    for (let asked = 0; asked < 20; asked += 1) greedy.send(...asset);
    const running = async () => /^veil_http_connections (\d+)/m.exec(await app.app.get(Metrics).text())?.[1];
    while ((await running()) !== '0') await delay(50);
  });

  it.each([
    [
      'headers over 16 KiB',
      431,
      'headers_too_large',
      ['GET / HTTP/1.1', 'host: x', `a: ${'b'.repeat(20_000)}`, '', ''],
    ],
    [
      'over a hundred headers',
      431,
      'headers_too_large',
      ['GET / HTTP/1.1', 'host: x', 'connection: close', ...Array.from({ length: 150 }, (_, i) => `a${i}: b`), '', ''],
    ],
    ['nonsense', 400, 'malformed_request', ['secret-word and more', '', '']],
    ['TLS', 400, 'malformed_request', ['\u0016\u0003\u0001\u0002\u0000\u0001']],
    ['HTTP/2', 400, 'malformed_request', ['PRI * HTTP/2.0', '', 'SM', '', '']],
    [
      'two lengths',
      400,
      'malformed_request',
      ['POST / HTTP/1.1', 'host: x', 'content-length: 1', 'content-length: 2', '', 'ab'],
    ],
    [
      'a length and chunks',
      400,
      'malformed_request',
      ['POST / HTTP/1.1', 'host: x', 'content-length: 5', 'transfer-encoding: chunked', '', '0', '', ''],
    ],
    [
      'a header that ends in a bare CR',
      400,
      'malformed_request',
      ['GET / HTTP/1.1', 'host: x', 'a: secret-word\rb: c', '', ''],
    ],
    ['no host', 400, 'malformed_request', ['GET /health HTTP/1.1', 'connection: close', '', '']],
    [
      'a URL that cannot be decoded',
      400,
      'malformed_request',
      ['GET /%E0%A4%A HTTP/1.1', 'host: x', 'connection: close', '', ''],
    ],
    ['an unknown route', 404, 'not_found', ['GET /secret-word HTTP/1.1', 'host: x', 'connection: close', '', '']],
    [
      'an expectation that nobody knows',
      404,
      'not_found',
      ['GET /x HTTP/1.1', 'host: x', 'expect: secret-word', 'connection: close', '', ''],
    ],
  ])('%s is refused with %d, in our words', async (_what, status, code, lines) => {
    const answer = await (await opened()).send(...lines).untilClosed();
    expectProblem(answer, status, code);
    expect(answer).not.toContain('secret-word');
  });

  it.each([
    ['a length', 'content-length: 100000', 'x'],
    ['chunks', 'transfer-encoding: chunked', `186a0\r\n${'x'.repeat(100_000)}\r\n`],
  ])('a body over 64 KiB by %s is refused before it has come', async (_how, header, body) => {
    const head = ['POST /api/v1/account/login HTTP/1.1', 'host: x', 'content-type: application/json', header, '', body];
    expectProblem(await (await opened()).send(...head).untilClosed(), 413, 'payload_too_large');
  });
});

it('connections beyond the limit are closed at once, the others go on', async () => {
  const held = await Promise.all(Array.from({ length: LIMITS.connections }, () => client(ports.internal)));
  const beyond = await client(ports.internal);
  expect(await beyond.untilClosed()).toBe('');
  const [first] = held;
  first?.send('GET /nothing HTTP/1.1', 'host: x', 'connection: close', '', '');
  expect(partsOf((await first?.untilClosed()) ?? '').status).toBe(404);
});
