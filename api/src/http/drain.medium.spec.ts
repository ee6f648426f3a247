import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { TestApp } from '../testing/app.js';

let app: TestApp;
let port: number;
let agent: Agent;
const sockets: Socket[] = [];

beforeEach(async () => {
  app = await TestApp.start();
  await app.app.listen(0, '127.0.0.1');
  port = (app.app.getHttpServer().address() as AddressInfo).port;
  agent = new Agent({ keepAlive: true, maxSockets: 1 });
});
afterEach(async () => {
  agent.destroy();
  for (const socket of sockets.splice(0)) socket.destroy();
  await app.stop();
});

async function get(path: string) {
  const { promise, resolve, reject } = Promise.withResolvers<[number | undefined, string | undefined, string]>();
  request({ port, host: '127.0.0.1', path, agent }, (answer) => {
    text(answer).then((body) => resolve([answer.statusCode, answer.headers.connection, body]), reject);
  })
    .on('error', reject)
    .end();
  return promise;
}

async function opened(): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {});
  sockets.push(socket);
  await once(socket, 'connect');
  return socket;
}

const ask = (socket: Socket, path: string) => socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`);

/** Holds what the health check waits for, until it is let go. */
function holdChatServer(): { asked: Promise<void>; letGo: () => void } {
  const { promise: asked, resolve: noteAsked } = Promise.withResolvers<void>();
  const { promise: held, resolve: letGo } = Promise.withResolvers<void>();
  jest.spyOn(app.ejabberd, 'ping').mockImplementation(() => {
    noteAsked();
    return held;
  });
  return { asked, letGo };
}

it('answers what is being worked on, and ends its connection', async () => {
  const { asked, letGo } = holdChatServer();
  const answer = get('/health/ready');
  await asked;
  const stopped = app.app.close();
  letGo();
  const [status, connection, body] = await answer;
  expect([status, connection, JSON.parse(body).status]).toEqual([503, 'close', 'stopping']);
  await stopped;
});

it('answers what comes on a connection from before, and takes no new connection', async () => {
  expect((await get('/health')).slice(0, 2)).toEqual([200, 'keep-alive']);
  const { asked, letGo } = holdChatServer();
  const socket = await opened();
  ask(socket, '/health/ready');
  await asked;
  const stopped = app.app.close();
  await refused();
  expect((await get('/health')).slice(0, 2)).toEqual([200, 'close']);
  letGo();
  expect(await text(socket)).toMatch(/^HTTP\/1.1 503 .*"stopping"/s);
  await stopped;
});

/** Returns when the listener takes no connection any more. */
async function refused(): Promise<void> {
  for (;;) {
    const code = await opened().then(
      () => '',
      (error: NodeJS.ErrnoException) => error.code,
    );
    if (code === 'ECONNREFUSED') return;
  }
}

it('answers what was sent before it was told to stop', async () => {
  const clients = await Promise.all(Array.from({ length: 20 }, opened));
  for (const client of clients) ask(client, '/health');
  await app.app.close();
  const answers = await Promise.all(clients.map((client) => text(client)));
  for (const answer of answers) expect(answer).toMatch(/^HTTP\/1.1 200 /);
});

it('answers or refuses who comes while it has more to do than it can', async () => {
  const outcomes = new Set<string>();
  const clients = Array.from({ length: 12 }, async () => {
    for (let outcome = ''; outcome !== 'ECONNREFUSED'; outcomes.add(outcome))
      outcome = await fetchOnce().catch((error: NodeJS.ErrnoException) => error.code ?? error.message);
  });
  while (outcomes.size === 0) await nextTurn();
  await app.app.close();
  await Promise.all(clients);
  expect([...outcomes]).toEqual(['200', 'ECONNREFUSED']);
});

/** A request on a connection of its own. */
async function fetchOnce(): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  request({ port, host: '127.0.0.1', path: '/health', agent: false }, (answer) => {
    text(answer).then(() => resolve(String(answer.statusCode)), reject);
  })
    .on('error', reject)
    .end();
  return promise;
}

it('waits a moment for who has connected and says nothing, not longer', async () => {
  const silent = await opened();
  const ended = once(silent, 'close');
  const began = performance.now();
  await app.app.close();
  expect(performance.now() - began).toBeLessThan(5000);
  await ended;
});
