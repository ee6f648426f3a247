import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { RateLimiter } from '../../http/rate-limiter.js';
import { RATE_LIMITS, type RateLimitName } from '../../http/rate-limits.js';
import { TestApp } from '../../testing/app.js';
import { next, nothingFor, RelayWorld, sms } from '../../testing/relay-world.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';

let app: TestApp;
let world: RelayWorld;

beforeAll(async () => {
  app = await TestApp.start({ RATE_LIMIT_FACTOR: '1' });
  await app.app.listen(0, '127.0.0.1');
});
afterAll(() => app.stop());

beforeEach(async () => {
  world = await RelayWorld.make(app);
});
afterEach(() => {
  jest.restoreAllMocks();
  world.end();
});

/** The account has so many left of a limit. */
function leave(name: RateLimitName, left: number): void {
  const limiter = app.app.get(RateLimiter);
  for (let n = RATE_LIMITS[name].calls; n > left; n -= 1) limiter.take(name, { account: world.owner.id });
}

const news = { type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body: 'x' };

it('an event is one message, for however many clients it is', async () => {
  const tablet = await world.device('client');
  await world.pair(tablet);
  const phone = await world.connect('host');
  const clients = [await world.connect('client'), await world.connect('client', tablet)];
  leave('relay_messages', 2);
  for (let count = 0; count < 2; count += 1) {
    phone.send(news);
    for (const client of clients) expect(await next(client)).toMatchObject(news);
  }
  phone.send(news);
  expect(await next(phone)).toMatchObject({ error: 'rate limited' });
});

it('an event takes the room of all clients: one that is too much is kept for none, and its host is told', async () => {
  const tablet = await world.device('client');
  await world.pair(tablet);
  const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
  leave('relay_kilobytes', 5);
  const large = { ...news, body: 'x'.repeat(1024), req_id: 'large' };
  phone.send(large);
  expect(await next(laptop)).toMatchObject(large);
  phone.send(large);
  expect(await next(phone)).toEqual({ error: 'rate limited', target_device_id: world.client, req_id: 'large' });
  expect(await world.rows()).toHaveLength(2);
});

it('an account that sends more than can be written leaves room for others', async () => {
  const others = await RelayWorld.make(app);
  await app.database.sql`
    WITH tablets AS (
      INSERT INTO devices (id, account_id, kind, created_at)
      SELECT 'tablet-' || n, ${world.owner.id}, 'client', now() FROM generate_series(1, 98) n RETURNING *)
    INSERT INTO pairings (account_id, host_device_id, client_device_id, created_at)
    SELECT account_id, ${String(world.host)}, id, created_at FROM tablets`;
  const [phone, theirs] = [await world.connect('host'), await others.connect('client')];
  const { promise: written, resolve: write } = Promise.withResolvers<void>();
  const messages = app.app.get(RelayMessagesRepository);
  const keep = messages.keep.bind(messages);
  jest.spyOn(messages, 'keep').mockImplementation(async (...asked) => written.then(() => keep(...asked)));
  for (let n = 0; n < 52; n += 1) phone.send({ ...news, n });
  expect(await next(phone)).toMatchObject({ error: 'temporarily unavailable' });
  theirs.send(sms());
  await nothingFor(theirs);
  write();
  expect(await next(theirs)).toMatchObject({ type: 'queued' });
  others.end();
});

it('the history has a limit of its own', async () => {
  leave('relay_history', 1);
  const ask = async (): Promise<number> => (await world.get('/history')).status;
  expect([await ask(), await ask()]).toEqual([200, 429]);
});

it('an account that sends too much is told so, by socket and REST', async () => {
  const laptop = await world.connect('client');
  leave('relay_messages', 0);
  const command = sms();
  laptop.send(command);
  expect(await next(laptop)).toEqual({
    ...{ error: 'rate limited', target_device_id: world.host, req_id: command.req_id },
  });
  const { status, body } = await world.get(`/sims?host_device_id=${world.host}`);
  expect([status, body.code]).toEqual([429, 'rate_limited']);
  expect(await world.rows()).toHaveLength(0);
});

it('REST has a limit of its own', async () => {
  leave('relay_commands', 1);
  const ask = async (): Promise<number> => (await world.get(`/sims?host_device_id=${world.host}`)).status;
  expect([await ask(), await ask()]).toEqual([200, 429]);
});
