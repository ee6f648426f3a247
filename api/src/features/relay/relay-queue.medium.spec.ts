import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { call, type Frame, next, RelayWorld, sms } from '../../testing/relay-world.js';
import { RelayDelivery } from './relay-delivery.js';
import { RelayJournal } from './relay-journal.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';

const SETTINGS = {
  RELAY_CALL_SECONDS: '3001',
  RELAY_HANG_UP_SECONDS: '3002',
  RELAY_QUERY_SECONDS: '3003',
  RELAY_SMS_SECONDS: '3004',
};

let app: TestApp;
const clock = new FakeClock();
let world: RelayWorld;

beforeAll(async () => {
  clock.advance(Date.now() - clock.milliseconds());
  app = await TestApp.start(SETTINGS, {}, clock);
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

it('what waits does so for as long as the settings say', async () => {
  const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
  const commands = [call(), { type: 'command', cmd: 'HANG_UP' }, { type: 'command', cmd: 'GET_SIMS' }, sms()];
  const events = ['INCOMING_CALL', 'CALL_STATE', 'SIM_INFO', 'SMS_SENT', 'INCOMING_SMS', 'ERROR', 'OTHER'];
  for (const command of commands) {
    laptop.send(command);
    await next(phone);
  }
  for (const event of events) {
    phone.send({ type: 'event', event });
    await next(laptop);
  }
  const rows = await app.database.sql<{ kind: string; seconds: number }[]>`
    SELECT kind, extract(epoch FROM expires_at - created_at)::int AS seconds FROM relay_messages
    WHERE account_id = ${world.owner.id}`;
  expect(Object.fromEntries(rows.map(({ kind, seconds }) => [kind, seconds]))).toEqual({
    ...{ MAKE_CALL: 3001, INCOMING_CALL: 3001, CALL_STATE: 3001, HANG_UP: 3002, GET_SIMS: 3003, SIM_INFO: 3003 },
    ...{ OTHER: 3003, SEND_SMS: 3004, SMS_SENT: 3004, INCOMING_SMS: 3004, ERROR: 3004 },
  });
});

describe('a queue', () => {
  /** As large as a command may be. */
  const large = (n: number): Frame => ({ ...sms(`text ${n}`), padding: 'x'.repeat(15_000) });

  it('that is larger than a device may owe is sent as it reads, in order, and what comes meanwhile after it', async () => {
    const laptop = await world.connect('client');
    for (let n = 0; n < 200; n += 1) laptop.send(large(n));
    for (let n = 0; n < 200; n += 1) expect(await next(laptop)).toMatchObject({ type: 'queued' });
    const phone = await world.connect('host');
    for (let n = 200; n < 220; n += 1) laptop.send(large(n));
    for (let n = 0; n < 220; n += 1) expect((await next(phone)).body).toBe(`text ${n}`);
    expect(phone.closed).toBeUndefined();
  });

  it('is not read again for what the device is working on, nor for what may not reach it', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    laptop.send(sms());
    await next(phone);
    const read = jest.spyOn(app.app.get(RelayMessagesRepository), 'waitingFor');
    const keep = (from: string, reqId: string) =>
      app.app.get(RelayJournal).keep({
        ...{ accountId: world.owner.id, from, to: String(world.host), type: 'command', kind: 'SEND_SMS', reqId },
        text: JSON.stringify(sms('by another process', reqId)),
      });
    await keep('stranger', 'r1');
    await app.app.get(RelayDelivery).sweep(null);
    expect(read).not.toHaveBeenCalled();
    await keep(String(world.client), 'r2');
    await app.app.get(RelayDelivery).sweep(null);
    expect(await next(phone)).toMatchObject({ req_id: 'r2' });
    expect(read).toHaveBeenCalledTimes(1);
  });
});
