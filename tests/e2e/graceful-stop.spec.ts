/**
 * An API that is told to stop fails no request: neither one that it has, nor one that is on its way. Whoever comes after
 * the listener closed is refused, which a client or a proxy may take as "not yet asked", and ask again or elsewhere.
 */

import { Agent } from 'node:http';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import axios, { type AxiosInstance } from 'axios';
import { type Account, registerAccount } from '../support/api.js';
import { Balancer } from '../support/balancer.js';
import { OwnApi } from '../support/own-api.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';

const CLIENTS = 8;
const DEVICE = { platform: 'android', push_token: 'token', app_id: 'com.example.veil' };
const apis: OwnApi[] = [];
let account: Account;

beforeAll(async () => {
  account = await registerAccount();
  apis.push(...(await Promise.all([OwnApi.start({}), OwnApi.start({})])));
});
afterAll(() => Promise.all(apis.map((api) => api.stop())));

/** Stops a process and starts another in its place. */
async function restart(index: number): Promise<void> {
  const { port } = apis[index]!;
  await apis[index]!.stop();
  apis[index] = await OwnApi.start({ API_PORT: String(port) });
}

interface Tally {
  answers: Record<string, number>;
  refused: number;
}

/** Reads and writes by clients that keep their connections, one request after the other, as long as `work` takes. */
async function underLoad(port: number, work: () => Promise<void>): Promise<Tally> {
  const tally: Tally = { answers: {}, refused: 0 };
  let over = false;
  const clients = Array.from({ length: CLIENTS }, async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const client = axios.create({
      baseURL: `http://127.0.0.1:${port}/api/v1`,
      headers: { authorization: `Bearer ${account.token}` },
      httpAgent: agent,
      proxy: false,
      timeout: 20_000,
      validateStatus: () => true,
    });
    while (!over) for (const request of requestsOf(client)) await asked(request, tally);
    agent.destroy();
  });
  await work();
  over = true;
  await Promise.all(clients);
  return tally;
}

const requestsOf = (client: AxiosInstance) => [
  () => client.get('/server/info'),
  () => client.get('/groups'),
  () => client.post('/push/register', { ...DEVICE, jid: account.jid, device_id: `d${Math.floor(10 * Math.random())}` }),
  () => client.post('/account/login', { username: account.username, password: account.password }),
];

/** Asks until the connection is not refused, and notes how that ended. */
async function asked(request: () => Promise<{ status: number }>, tally: Tally): Promise<void> {
  for (;;) {
    const outcome = await request().then(
      ({ status }) => String(status),
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (outcome !== 'ECONNREFUSED') {
      tally.answers[outcome] = (tally.answers[outcome] ?? 0) + 1;
      return;
    }
    tally.refused += 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const expectNoFailure = ({ answers }: Tally): void => {
  expect(Object.keys(answers).filter((outcome) => outcome !== '200')).toEqual([]);
  expect(answers['200']).toBeGreaterThan(CLIENTS);
};

it('fails nobody when one process after the other is replaced, behind a proxy', async () => {
  const balancer = await Balancer.start(apis.map(({ port }) => port));
  const tally = await underLoad(balancer.port, async () => {
    await restart(0);
    await restart(1);
    await restart(0);
  }).finally(() => balancer.stop());
  expectNoFailure(tally);
  expect(tally.refused).toBe(0);
});

it('fails nobody who asks again when the only process is replaced', async () => {
  expectNoFailure(await underLoad(apis[0]!.port, () => restart(0)));
});

it('says at /health/ready that it stops, before it stops listening, when a proxy needs that', async () => {
  const api = await OwnApi.start({ DRAIN_SECONDS: '2' });
  const ready = () =>
    axios.get(`http://${platform.host}:${api.port}/health/ready`, { proxy: false, validateStatus: () => true });
  expect((await ready()).data.status).toBe('ready');
  const stopped = api.stop();
  const answer = await until('it says that it stops', async () => {
    const { status, data, headers } = await ready();
    return data.status !== 'ready' && [status, data.status, headers.connection];
  });
  expect(answer).toEqual([503, 'stopping', 'close']);
  await stopped;
  await expect(ready()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
