import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Presence } from '../../realtime/presence.js';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { anyNext, gone, next, RelayWorld, sent, sms } from '../../testing/relay-world.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import { PairingRepository } from '../pairing/pairing.repository.js';
import { LOOK_AFTER, RelayGrowth } from './relay-growth.js';
import { RelayHistoryRepository } from './relay-history.repository.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';
import { RelayUpkeep } from './relay-upkeep.js';

const AWAY = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });

let app: TestApp;
const clock = new FakeClock();
let world: RelayWorld;

beforeAll(async () => {
  clock.advance(Date.now() - clock.milliseconds());
  app = await TestApp.start({ RELAY_QUEUE_MAX: '5' }, {}, clock);
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

describe('an event', () => {
  it('waits for a client that was away, and does not come twice', async () => {
    const phone = await world.connect('host');
    phone.send({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body: 'while you were away' });
    await world.waiting(1);
    const laptop = await world.connect('client');
    expect(await next(laptop)).toMatchObject({ event: 'INCOMING_SMS', body: 'while you were away' });
    await world.waiting(0);
    await gone(laptop);
    const again = await world.connect('client');
    phone.send(sent('later'));
    expect(await next(again)).toMatchObject({ event: 'SMS_SENT', req_id: 'later' });
  });

  it('is passed on though it can’t be kept, and the host is told', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    jest.spyOn(app.app.get(RelayMessagesRepository), 'keep').mockRejectedValueOnce(AWAY);
    phone.send({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body: 'x' });
    expect(await next(laptop)).toMatchObject({ event: 'INCOMING_SMS', from_device_id: world.host });
    expect(await next(phone)).toMatchObject({ error: 'temporarily unavailable' });
    laptop.send(sms());
    expect(await next(phone)).toMatchObject({ cmd: 'SEND_SMS' });
  });

  it('and signalling are passed on while the database is away, for however long; commands are refused', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    phone.send({ type: 'webrtc', action: 'offer', sdp: 'v=0' });
    await next(laptop);
    laptop.send({ type: 'webrtc', action: 'answer', sdp: 'v=0' });
    await next(phone);
    // As after three seconds.
    jest.spyOn(app.app.get(PairedDevices), 'known').mockReturnValue(undefined);
    jest.spyOn(app.app.get(PairingRepository), 'peersOf').mockRejectedValue(AWAY);
    jest.spyOn(app.app.get(RelayMessagesRepository), 'keep').mockRejectedValue(AWAY);
    for (const body of ['one', 'two']) {
      phone.send({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1', body });
      expect(await next(laptop)).toMatchObject({ event: 'INCOMING_SMS', body });
      expect(await next(phone)).toMatchObject({ error: 'temporarily unavailable' });
      laptop.send({ type: 'webrtc', action: 'offer', sdp: body });
      expect(await next(phone)).toMatchObject({ action: 'offer', sdp: body });
      laptop.send(sms());
      expect(await next(laptop)).toMatchObject({ error: 'temporarily unavailable' });
    }
  });

  it('is not kept in the clear', async () => {
    const phone = await world.connect('host');
    phone.send({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+15550100', body: 'a secret' });
    await world.waiting(1);
    const [row] = await app.database.sql`SELECT * FROM relay_messages WHERE account_id = ${world.owner.id}`;
    expect(`${JSON.stringify(row)} ${row?.payload.toString('latin1')}`).not.toMatch(/secret|15550100/);
  });
});

describe('WebRTC', () => {
  it('goes both ways and is not kept', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    const offer = { type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: 'w1' };
    const ice = { type: 'webrtc', action: 'ice', candidate: 'c', sdpMid: '0', sdpMLineIndex: 0 };
    laptop.send(offer);
    expect(await next(phone)).toEqual({ ...offer, from_device_id: world.client });
    phone.send(ice);
    expect(await next(laptop)).toEqual({ ...ice, from_device_id: world.host });
    expect(await world.rows()).toHaveLength(0);
  });

  it('says so when the other end is offline', async () => {
    const laptop = await world.connect('client');
    laptop.send({ type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: 'w2' });
    expect(await next(laptop)).toEqual({ error: 'target_offline', target_device_id: world.host, req_id: 'w2' });
  });
});

describe('a socket', () => {
  it('tells who of the paired comes and goes', async () => {
    const laptop = await world.connect('client');
    const phone = await world.connect('host');
    expect(await anyNext(laptop)).toEqual({ type: 'event', event: 'DEVICE_ONLINE', device_id: world.host });
    await gone(phone);
    expect(await anyNext(laptop)).toEqual({ type: 'event', event: 'DEVICE_OFFLINE', device_id: world.host });
  });

  it('tells that a device has gone which was revoked', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    expect(await anyNext(phone)).toEqual({ type: 'event', event: 'DEVICE_ONLINE', device_id: world.client });
    await app.http.delete(`/devices/${world.client}`).set(world.owner.bearer);
    expect((await laptop.end()).code).toBe(1008);
    expect(await anyNext(phone)).toEqual({ type: 'event', event: 'DEVICE_OFFLINE', device_id: world.client });
  });

  it('is pinged as the apps know it, whenever the protocol’s ping is sent', async () => {
    const laptop = await world.connect('client');
    app.app.get(Presence).here('relay', String(world.client))?.ping();
    expect(await laptop.next()).toEqual({ type: 'ping' });
  });

  it.each([
    ['{', { error: 'invalid JSON' }],
    ['[]', { error: 'invalid JSON' }],
    ['"x"', { error: 'invalid JSON' }],
    ['{"type":"foo"}', { error: 'invalid message type: foo' }],
    ['{"type":"ping"}', { type: 'pong' }],
    ['{"type":"command","cmd":"MAKE_CALL","req_id":"r"}', { error: 'invalid to', req_id: 'r' }],
  ])('answers %s with %j', async (text, answer) => {
    const laptop = await world.connect('client');
    laptop.send(text);
    expect(await next(laptop)).toEqual(answer);
  });
});

describe('the history', () => {
  const history = (query = '', of = world) => of.get(`/history${query}`);

  it('has commands and events, the newest first, page by page', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    const command = sms();
    laptop.send(command);
    await next(phone);
    phone.send(sent(command.req_id));
    await next(laptop);
    const { body } = await history();
    expect(body).toMatchObject({ total: 2, offset: 0, limit: 50 });
    expect(body.items).toEqual([
      {
        ...{ id: expect.any(Number), from_device_id: world.host, to_device_id: world.client, msg_type: 'event' },
        ...{ payload: { ...sent(command.req_id), from_device_id: world.host }, created_at: expect.any(String) },
      },
      {
        ...{ id: expect.any(Number), from_device_id: world.client, to_device_id: world.host, msg_type: 'command' },
        ...{ payload: { ...command, from_device_id: world.client }, created_at: expect.any(String) },
      },
    ]);
    expect((await history('?limit=1&offset=1')).body).toEqual({
      items: [body.items[1]],
      total: 2,
      offset: 1,
      limit: 1,
    });
    expect((await history(`?device_id=${world.host}&limit=200`)).body.total).toBe(2);
    expect((await history('?device_id=999999')).body.total).toBe(0);
    expect((await history('', await RelayWorld.make(app))).body.total).toBe(0);
  });

  it.each(['limit=201', 'limit=0', 'limit=x', 'offset=-1', 'device_id=%20'])('refuses %s', async (query) => {
    expect((await history(`?${query}`)).status).toBe(422);
  });

  it('ends after 90 days, or with the account', async () => {
    const ask = () => world.get(`/sims?host_device_id=${world.host}`);
    await ask();
    clock.advance(89 * 86_400_000);
    await app.app.get(RelayUpkeep).forget(20);
    expect(await world.rows()).toHaveLength(1);
    clock.advance(2 * 86_400_000);
    await app.app.get(RelayUpkeep).forget(20);
    expect(await world.rows()).toHaveLength(0);
    world = await RelayWorld.make(app);
    await ask();
    // More than a deletion takes at once.
    await app.database.sql`
      INSERT INTO relay_messages (account_id, from_device_id, to_device_id, msg_type, kind, payload, created_at, expires_at)
      SELECT ${world.owner.id}, 'a', 'b', 'event', 'SMS_SENT', '', now(), now() FROM generate_series(1, 5001)`;
    const { bearer, jid, password } = world.owner;
    await app.http.delete('/api/v1/account').set(bearer).send({ jid, password });
    await app.finishRemovals();
    expect(await world.rows()).toHaveLength(0);
  });

  it('has the newest, when an account has more than is kept for one; what waits stays', async () => {
    const ask = () => world.get(`/sims?host_device_id=${world.host}`);
    const other = await RelayWorld.make(app);
    await ask();
    const large = (owner: string, count: number) => app.database.sql`
      INSERT INTO relay_messages (account_id, from_device_id, to_device_id, msg_type, kind, payload, created_at, expires_at, acked_at)
      SELECT ${owner}, 'a', 'b', 'event', 'LARGE', convert_to(repeat('x', 10000000), 'utf8'), ${clock.now()},
        ${clock.now()}, ${clock.now()}
      FROM generate_series(1, ${count}::int)`;
    await large(world.owner.id, 52);
    await large(other.owner.id, 2);
    const repository = app.app.get(RelayHistoryRepository);
    const beyond = (page: number) => repository.newestBeyond(other.owner.id, 10_001_000, page);
    expect([await beyond(1), await beyond(2)]).toEqual([expect.any(Number), await beyond(100)]);
    await app.app.get(RelayUpkeep).trim(20);
    expect(await world.rows()).toHaveLength(53);
    app.app.get(RelayGrowth).add(world.owner.id, LOOK_AFTER - 500);
    await ask();
    await app.app.get(RelayUpkeep).trim(20);
    const kinds = (await world.rows()).map(({ kind }) => kind);
    expect(kinds).toEqual(['GET_SIMS', ...Array.from({ length: 49 }, () => 'LARGE'), 'GET_SIMS']);
    expect(await other.rows()).toHaveLength(2);
  });
});
