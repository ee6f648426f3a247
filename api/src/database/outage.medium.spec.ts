import { once } from 'node:events';
import { type AddressInfo, connect as connectTo, createServer, type Server, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { testConfig } from '../testing/config.js';
import { createTestDatabase, type TestDatabase } from '../testing/database.js';
import { connect, type Sql } from './database.module.js';
import { isDatabaseUnavailable } from './database-errors.js';

const POOL_SIZE = 3;

type Greet = (client: Socket) => void;

let database: TestDatabase;
let relay: Server;
let greet: Greet;
let sql: Sql;
const clients = new Set<Socket>();

const passOn: Greet = (client) => {
  const { DB_HOST, DB_PORT } = database.environment;
  const server = connectTo(Number(DB_PORT), DB_HOST);
  client.pipe(server).pipe(client);
  server.on('error', () => {});
  client.once('close', () => server.destroy());
};

async function open(port = 0): Promise<void> {
  greet = passOn;
  relay = createServer((client) => {
    clients.add(client.on('error', () => {}));
    greet(client);
  }).listen(port, '127.0.0.1');
  await once(relay, 'listening');
}

const hangUp = (): void => {
  for (const client of clients) client.destroy();
  clients.clear();
};

beforeAll(async () => {
  database = await createTestDatabase();
  await open();
  const { port } = relay.address() as AddressInfo;
  const settings = { DB_PORT: String(port), DB_POOL_SIZE: String(POOL_SIZE), NEIGHBOUR_TIMEOUT_MS: '500' };
  sql = connect(testConfig({ ...database.environment, ...settings }));
});
afterAll(async () => {
  await sql.end({ timeout: 0 });
  hangUp();
  relay.close();
  await database.drop();
});

/** More queries than there are connections: none of them may be used up. */
async function expectUnavailable(): Promise<void> {
  hangUp();
  const queries = Array.from({ length: 2 * POOL_SIZE }, () => sql`SELECT 1`.catch((error: unknown) => error));
  expect((await Promise.all(queries)).filter(isDatabaseUnavailable)).toHaveLength(2 * POOL_SIZE);
}

const expectFound = async () => expect([...(await sql`SELECT 1 AS one`)]).toEqual([{ one: 1 }]);

describe('a database that is away fails queries, and is found when it is back', () => {
  it('after it refused connections', async () => {
    const { port } = relay.address() as AddressInfo;
    relay.close();
    await expectUnavailable();
    await open(port);
    await expectFound();
  });

  it.each([
    ['closed them at once', (client: Socket) => void client.end()],
    ['never answered', () => {}],
  ] satisfies [string, Greet][])('after it %s', async (_, away) => {
    greet = away;
    await expectUnavailable();
    hangUp();
    greet = passOn;
    await expectFound();
  });

  it('after it ended every connection in the middle of a query', async () => {
    const ended = Array.from({ length: POOL_SIZE }, () =>
      sql`SELECT pg_sleep(0.1), pg_terminate_backend(pg_backend_pid())`.catch((error: unknown) => error),
    );
    const errors = await Promise.all(ended);
    expect(errors.filter(isDatabaseUnavailable)).toHaveLength(POOL_SIZE);
    expect(errors).toEqual(errors.map(() => expect.objectContaining({ code: '57P01' })));
    await Promise.all(Array.from({ length: 2 * POOL_SIZE }, expectFound));
  });
});
