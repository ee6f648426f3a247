import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { next, nothingFor, RelayWorld, sms } from '../../testing/relay-world.js';
import { SocketClient } from '../../testing/socket-client.js';

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
  world.end();
});

describe('who may reach whom', () => {
  it('only devices that are paired do: the answer is the same for unknown, foreign and other ones', async () => {
    const theirs = await RelayWorld.make(app);
    const unpaired = await world.device('host');
    const [victim, mine] = [await theirs.connect('host'), await world.connect('host', unpaired)];
    const laptop = await world.connect('client');
    for (const to_device_id of [theirs.host, unpaired, 999_999, 'nobody']) {
      for (const frame of [sms(), { type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: 'w' }]) {
        laptop.send({ ...frame, to_device_id });
        const refusal = { error: 'not paired', target_device_id: to_device_id, req_id: frame.req_id };
        expect(await next(laptop)).toEqual(refusal);
      }
    }
    await nothingFor(victim);
    await nothingFor(mine);
    expect(await world.rows()).toHaveLength(0);
  });

  it('ends with the pairing, for what is on its way and for what waits', async () => {
    const tablet = await world.device('client');
    const pairing = await world.pair(tablet);
    const other = await world.connect('client', tablet);
    other.send(sms());
    await next(other);
    await app.http.delete(`/pairings/${pairing}`).set(world.owner.bearer);
    other.send(sms());
    expect(await next(other)).toEqual({ error: 'no paired host' });
    await world.nothingWaitsFor(await world.connect('host'));
  });

  it('ends with the pairing by REST too: a client does not speak as another', async () => {
    const tablet = await world.signedIn();
    const pairing = await world.pair(tablet.id);
    const send = (bearer = world.owner.bearer) =>
      world.post('/sms', { to_device_id: world.host, sim: 1, to: '110', body: 'Hi' }, bearer);
    expect((await send(tablet.bearer)).body).toMatchObject({ status: 'queued' });
    await app.http.delete(`/pairings/${pairing}`).set(world.owner.bearer);
    const { status, body } = await send(tablet.bearer);
    expect([status, body.detail]).toEqual([403, 'Devices are not paired']);
    expect(await world.rows()).toHaveLength(1);
    expect((await send()).body).toMatchObject({ status: 'queued' });
  });

  it('a host without a client, a client without a host', async () => {
    const [lonelyHost, lonelyClient] = [await world.device('host'), await world.device('client')];
    const [phone, laptop] = [await world.connect('host', lonelyHost), await world.connect('client', lonelyClient)];
    phone.send({ type: 'event', event: 'INCOMING_CALL', sim: 1, from: '+1' });
    laptop.send(sms());
    expect(await next(phone)).toEqual({ error: 'no paired client' });
    expect(await next(laptop)).toEqual({ error: 'no paired host' });
  });

  it('a socket is for no device of another kind, and for none that there is not', async () => {
    for (const [type, id] of [
      ['host', world.client],
      ['client', world.host],
      ['host', 999_999],
    ] as const) {
      await expect(SocketClient.connect(world.url(type, id))).rejects.toThrow('404 not_found');
    }
  });

  it('what another account left for a device of the same id stands in nobody’s way', async () => {
    const before = await RelayWorld.make(app);
    await app.database.sql`
      INSERT INTO relay_messages (account_id, from_device_id, to_device_id, msg_type, kind, req_id, payload, created_at, expires_at)
      SELECT ${before.owner.id}, ${String(world.client)}, ${String(world.host)}, 'command', 'SEND_SMS', 'r' || n, '', now(),
        now() + interval '1 hour' FROM generate_series(1, 5) n`;
    const request = { to_device_id: world.host, sim: 1, to: '110', body: 'Hi', req_id: 'r1' };
    expect((await world.post('/sms', request)).body).toEqual({ status: 'queued', req_id: 'r1' });
    expect(await next(await world.connect('host'))).toMatchObject({ cmd: 'SEND_SMS', req_id: 'r1' });
  });

  it('REST says who is no client and who is not paired', async () => {
    const bob = await app.register('bob');
    const ask = async (to_device_id: number): Promise<unknown[]> => {
      const { status, body } = await app.http.post('/call').set(bob.bearer).send({ to_device_id, sim: 1, to: '110' });
      return [status, body.detail];
    };
    expect(await ask(world.host)).toEqual([400, 'No client device registered']);
    await app.http.post('/devices').set(bob.bearer).send({ name: 'a client', type: 'client' });
    for (const to of [world.host, 999_999, world.client])
      expect(await ask(to)).toEqual([403, 'Devices are not paired']);
    expect((await world.get('/sims?host_device_id=x%20y')).status).toBe(403);
  });
});
