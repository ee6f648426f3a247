import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { TestApp } from '../../testing/app.js';
import { FakeClock } from '../../testing/clock.js';
import { call, type Frame, gone, next, nothingFor, RelayWorld, sent, sms } from '../../testing/relay-world.js';
import { until } from '../../testing/until.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';
import { RelayUpkeep } from './relay-upkeep.js';

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

describe('a command', () => {
  it('goes to the host, and its answer to every client that is paired with it', async () => {
    const tablet = await world.device('client');
    await world.pair(tablet);
    const [phone, laptop, other] = [
      await world.connect('host'),
      await world.connect('client'),
      await world.connect('client', tablet),
    ];
    const command = sms('Zeile 1\nZeile 2');
    laptop.send(command);
    expect(await next(phone)).toEqual({ ...command, from_device_id: world.client });
    phone.send(sent(command.req_id));
    const answer = { ...sent(command.req_id), from_device_id: world.host };
    expect([await next(laptop), await next(other)]).toEqual([answer, answer]);
    await world.waiting(0);
    await gone(phone);
    await world.nothingWaitsFor(await world.connect('host'));
  });

  it('waits for a host that is offline, by socket or REST, in order, and its sender is told', async () => {
    const laptop = await world.connect('client');
    const first = sms('one');
    laptop.send(first);
    expect(await next(laptop)).toEqual({ type: 'queued', target_device_id: world.host, req_id: first.req_id });
    const answer = await world.post('/sms', { to_device_id: world.host, sim: 2, to: '110', body: 'two' });
    expect(answer.body).toEqual({ status: 'queued', req_id: expect.any(String) });
    const third = sms('three');
    laptop.send({ ...third, to_device_id: world.host });
    await next(laptop);
    const phone = await world.connect('host');
    const got = [await next(phone), await next(phone), await next(phone)];
    expect(got.map(({ body }) => body)).toEqual(['one', 'two', 'three']);
    expect(got[1]).toEqual({
      ...{ type: 'command', cmd: 'SEND_SMS', sim: 2, to: '110', body: 'two' },
      ...{ req_id: answer.body.req_id, from_device_id: world.client },
    });
  });

  it('comes again until the host has answered or acknowledged it, and no more after that', async () => {
    const laptop = await world.connect('client');
    const [answered, acknowledged, neither] = [sms('a'), sms('b'), sms('c')];
    const phone = await world.connect('host');
    for (const command of [answered, acknowledged, neither]) laptop.send(command);
    for (let count = 0; count < 3; count += 1) await next(phone);
    phone.send(sent(answered.req_id)).send({ type: 'ack', req_id: acknowledged.req_id });
    await until(() => laptop.frames.some(({ event }) => event === 'SMS_SENT'));
    await world.waiting(1);
    await gone(phone);
    const again = await world.connect('host');
    expect((await next(again)).req_id).toBe(neither.req_id);
    await world.nothingWaitsFor(again);
  });

  it('does not come again though its answer could not be kept', async () => {
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    const command = sms();
    laptop.send(command);
    await next(phone);
    const away = Object.assign(new Error('away'), { code: 'ECONNREFUSED' });
    jest.spyOn(app.app.get(RelayMessagesRepository), 'keep').mockRejectedValueOnce(away);
    phone.send(sent(command.req_id));
    expect(await next(laptop)).toMatchObject({ event: 'SMS_SENT', req_id: command.req_id });
    await world.waiting(0);
    await gone(phone);
    await world.nothingWaitsFor(await world.connect('host'));
  });

  it('does not come again when its answer names no command', async () => {
    const phone = await world.connect('host');
    await world.get(`/sims?host_device_id=${world.host}`);
    await next(phone);
    phone.send({ type: 'event', event: 'SIM_INFO', sims: [] });
    await world.acknowledged('GET_SIMS');
    await gone(phone);
    await world.nothingWaitsFor(await world.connect('host'));
  });

  it('survives a crash between its writing and its acknowledgement', async () => {
    const laptop = await world.connect('client');
    const phone = await world.connect('host');
    const [delivered, unseen] = [sms('delivered'), sms('unseen')];
    laptop.send(delivered);
    await next(phone);
    await gone(phone);
    laptop.send(unseen);
    expect(await next(laptop)).toMatchObject({ type: 'queued' });
    await app.restart({ RELAY_QUEUE_MAX: '5' }, clock);
    await app.app.listen(0, '127.0.0.1');
    const again = await world.connect('host');
    expect([(await next(again)).body, (await next(again)).body]).toEqual(['delivered', 'unseen']);
  });

  it('is the same command when it comes again', async () => {
    const laptop = await world.connect('client');
    const phone = await world.connect('host');
    const command = sms();
    laptop.send(command).send(command);
    expect(await next(phone)).toMatchObject({ req_id: command.req_id });
    const { type: _, cmd, ...body } = command;
    const repeated = await world.post('/sms', { ...body, to_device_id: world.host });
    expect(repeated.body).toEqual({ status: 'sent', req_id: command.req_id });
    await nothingFor(phone);
    expect(await world.rows()).toHaveLength(1);
  });

  it('is the same command when another client sends it, by socket or REST', async () => {
    const tablet = await world.signedIn();
    await world.pair(tablet.id);
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    const other = await world.connect('client', tablet.id);
    const command = sms();
    laptop.send(command);
    expect(await next(phone)).toMatchObject({ req_id: command.req_id, from_device_id: world.client });
    other.send(command);
    const { type: _, cmd, ...body } = command;
    const repeated = await world.post('/sms', { ...body, to_device_id: world.host }, tablet.bearer);
    expect(repeated.body).toEqual({ status: 'sent', req_id: command.req_id });
    await nothingFor(phone);
    expect(await world.rows()).toHaveLength(1);
  });

  it('is sent by the client whose session it is, which is told when it has expired', async () => {
    const tablet = await world.signedIn();
    await world.pair(tablet.id);
    const [laptop, other] = [await world.connect('client'), await world.connect('client', tablet.id)];
    const request = { to_device_id: world.host, sim: 1, to: '110' };
    const { body } = await world.post('/call', request, tablet.bearer);
    clock.advance(31_000);
    await app.app.get(RelayUpkeep).expire(20);
    expect(await next(other)).toMatchObject({ event: 'ERROR', code: 'expired', req_id: body.req_id });
    await nothingFor(laptop);
    await world.post('/call', request);
    const phone = await world.connect('host');
    expect(await next(phone)).toMatchObject({ cmd: 'MAKE_CALL', from_device_id: world.client });
  });

  it('goes after all when another client repeats it and its first sender is paired no more, by socket or REST', async () => {
    const tablet = await world.signedIn();
    const pairing = await world.pair(tablet.id);
    const other = await world.connect('client', tablet.id);
    const [bySocket, byRest] = [call(), sms()];
    for (const command of [bySocket, byRest]) {
      other.send(command);
      expect(await next(other)).toMatchObject({ type: 'queued' });
    }
    await app.http.delete(`/pairings/${pairing}`).set(world.owner.bearer);
    clock.advance(20_000);
    const laptop = await world.connect('client');
    laptop.send(bySocket);
    expect(await next(laptop)).toMatchObject({ type: 'queued', req_id: bySocket.req_id });
    // The time of a call begins anew, as that of any that its sender gives.
    clock.advance(20_000);
    const phone = await world.connect('host');
    expect(await next(phone)).toEqual({ ...bySocket, from_device_id: world.client });
    const { type: _, cmd, ...body } = byRest;
    const repeated = await world.post('/sms', { ...body, to_device_id: world.host });
    expect(repeated.body).toEqual({ status: 'sent', req_id: byRest.req_id });
    expect(await next(phone)).toEqual({ ...byRest, from_device_id: world.client });
    laptop.send(bySocket);
    await nothingFor(laptop);
    await nothingFor(phone);
    expect(await world.rows()).toHaveLength(2);
  });

  it('that the host has been sent already does not go twice when another client takes it over', async () => {
    const tablet = await world.signedIn();
    const pairing = await world.pair(tablet.id);
    const [phone, laptop] = [await world.connect('host'), await world.connect('client')];
    const other = await world.connect('client', tablet.id);
    const command = call();
    other.send(command);
    await next(phone);
    await app.http.delete(`/pairings/${pairing}`).set(world.owner.bearer);
    const { type: _, cmd, ...request } = command;
    const repeated = await world.post('/call', { ...request, to_device_id: world.host });
    expect(repeated.body).toEqual({ status: 'sent', req_id: command.req_id });
    await nothingFor(phone);
    clock.advance(31_000);
    await app.app.get(RelayUpkeep).expire(20);
    expect(await next(laptop)).toMatchObject({ event: 'ERROR', code: 'expired', req_id: command.req_id });
  });

  it('is answered with its end when it comes again after its time', async () => {
    const laptop = await world.connect('client');
    const command = call();
    laptop.send(command);
    expect(await next(laptop)).toMatchObject({ type: 'queued' });
    clock.advance(31_000);
    await app.app.get(RelayUpkeep).expire(20);
    const news = await next(laptop);
    expect(news).toMatchObject({ event: 'ERROR', code: 'expired', req_id: command.req_id });
    laptop.send(command);
    expect(await next(laptop)).toEqual(news);
    const { type: _, cmd, ...request } = command;
    const { status, body } = await world.post('/call', { ...request, to_device_id: world.host });
    expect([status, body.code]).toEqual([409, 'command_expired']);
    await world.nothingWaitsFor(await world.connect('host'));
  });

  it('is too late after its time, and its sender is told, also when he comes back later', async () => {
    const laptop = await world.connect('client');
    const [late, good] = [call(), sms()];
    laptop.send(late).send(good);
    await next(laptop);
    await next(laptop);
    await gone(laptop);
    clock.advance(31_000);
    await app.app.get(RelayUpkeep).expire(20);
    const phone = await world.connect('host');
    expect((await next(phone)).req_id).toBe(good.req_id);
    await world.nothingWaitsFor(phone);
    expect(await next(await world.connect('client'))).toEqual({
      ...{ type: 'event', event: 'ERROR', status: 'error', code: 'expired' },
      ...{ body: 'expired: the phone did not answer in time', req_id: late.req_id, from_device_id: world.host },
    });
  });

  it('is ended without anybody’s doing, and a sender who is there is told', async () => {
    const laptop = await world.connect('client');
    const command = call();
    laptop.send(command);
    expect(await next(laptop)).toMatchObject({ type: 'queued' });
    clock.advance(31_000);
    expect(await next(laptop)).toMatchObject({ event: 'ERROR', code: 'expired', req_id: command.req_id });
  });

  it('is not delivered late even if nobody has looked yet', async () => {
    await world.post('/call', { to_device_id: world.host, sim: 1, to: '110' });
    clock.advance(30_000);
    await world.nothingWaitsFor(await world.connect('host'));
  });

  it('is refused when too many wait', async () => {
    const laptop = await world.connect('client');
    const commands = Array.from({ length: 6 }, () => sms());
    for (const command of commands) laptop.send(command);
    for (let count = 0; count < 5; count += 1) expect(await next(laptop)).toMatchObject({ type: 'queued' });
    const refusal = { error: 'queue full', target_device_id: world.host, req_id: commands[5]?.req_id };
    expect(await next(laptop)).toEqual(refusal);
    const { status, body } = await world.get(`/sims?host_device_id=${world.host}`);
    expect([status, body.code]).toEqual([409, 'queue_full']);
    laptop.send(commands[0] as Frame);
    expect(await next(laptop)).toMatchObject({ type: 'queued', req_id: commands[0]?.req_id });
  });
});
