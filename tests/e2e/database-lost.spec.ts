/**
 * An API whose database goes away at the worst moments lives on, says so, and works again when the database is back.
 */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { MessageReader, READY_FOR_QUERY } from '../support/fault-postgres-protocol.js';
import { OwnApi } from '../support/own-api.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';

const REQUESTS = 12;

let relay: Server;
let away = false;
let api: OwnApi;
let account: Account;
const clients = new Set<Socket>();

/** Passes everything on; while it is away, a connection falls silent as soon as it is ready for its first query. */
function pass(client: Socket): void {
  const server = connect({ host: '127.0.0.1', port: platform.ports.database });
  clients.add(client);
  client.on('error', () => {}).once('close', () => server.destroy());
  server.on('error', () => {}).once('close', () => client.destroy());
  const falling = new MessageReader({ startsUntyped: false }, (message) => {
    if (away && message[0] === READY_FOR_QUERY) client.unpipe(server);
  });
  client.pipe(server);
  server.on('data', (chunk) => {
    falling.read(chunk);
    client.write(chunk);
  });
}

beforeAll(async () => {
  relay = createServer(pass).listen(0, '127.0.0.1');
  await once(relay, 'listening');
  const { port } = relay.address() as AddressInfo;
  account = await registerAccount('lost');
  api = await OwnApi.start({ DB_HOST: '127.0.0.1', DB_PORT: String(port), NEIGHBOUR_TIMEOUT_MS: '500' });
});

afterAll(async () => {
  await api.stop();
  relay.close();
});

it('when connections are lost before anything was asked on them', async () => {
  away = true;
  for (const client of clients) client.destroy();
  const groups = () => api.client(account.token).get('/groups');
  const answers = await Promise.all(Array.from({ length: REQUESTS }, groups));
  expect(answers.map(({ status, data }) => [status, data.code])).toEqual(
    answers.map(() => [503, 'database_unavailable']),
  );
  expect(api.obituary).toBeUndefined();
  away = false;
  await until('the API works again', async () => (await groups()).status === 200);
});
