/**
 * Somebody's SIM cards stay in a phone at home; he texts and calls through it. The apps are those of SimBridge: their
 * requests and frames, as they are in the field, in the order in which they send them.
 */
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { uniqueName } from '../support/api.js';
import { OwnApi } from '../support/own-api.js';
import { pairApps, RelayApp, type RelayFrame } from '../support/relay-app.js';

const password = 'a Long enough one 4711';
let username: string;
let host: RelayApp;
let client: RelayApp;
const own: OwnApi[] = [];

/** What a Kotlin Int can hold. */
const INT = { asymmetricMatch: (value: unknown) => Number.isInteger(value) && Math.abs(Number(value)) < 2 ** 31 };

beforeEach(async () => {
  username = uniqueName('sim');
  const { status } = await new RelayApp('client').rest.post('/auth/register', { username, password });
  expect(status).toBeLessThan(300);
  [host, client] = await Promise.all([
    new RelayApp('host').setUp(username, password),
    new RelayApp('client').setUp(username, password),
  ]);
});
afterEach(() => {
  host.close();
  client.close();
});
afterAll(() => Promise.all(own.map((api) => api.stop())));

const sms = (body: string): RelayFrame & { req_id: string } => ({
  ...{ type: 'command', cmd: 'SEND_SMS', sim: 1, to: '+886912345678', body, req_id: randomUUID() },
});

describe('the apps of the field', () => {
  it('are set up, and paired by a code', async () => {
    const devices = await client.rest.get('/devices');
    expect(devices.data).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: INT, type: 'host', is_online: false, last_seen: null }),
        expect.objectContaining({ id: INT, type: 'client', is_online: false }),
      ]),
    );
    const { status, data } = await host.rest.post(`/pair?host_device_id=${host.id}`);
    expect([status, data]).toEqual([200, { code: expect.stringMatching(/^\d{6}$/), expires_in_seconds: 600 }]);
    const confirmed = await client.rest.post('/pair/confirm', { code: data.code, client_device_id: client.id });
    expect(confirmed.data).toEqual({ status: 'paired', pairing_id: INT, host_device_id: host.id });
    const again = await client.rest.post('/pair/confirm', { code: data.code, client_device_id: client.id });
    expect([again.status, again.data.detail]).toEqual([400, 'Invalid or expired pairing code']);
  });

  it('ask for SIM cards, text, call with audio and hang up', async () => {
    await pairApps(host, client);
    await host.connect();
    await client.connect();
    const req_id = randomUUID();
    client.send({ type: 'command', cmd: 'GET_SIMS', req_id });
    expect(await host.command('GET_SIMS')).toEqual({
      ...{ type: 'command', cmd: 'GET_SIMS', req_id, from_device_id: client.id },
    });
    host.send({ type: 'event', event: 'SIM_INFO', sims: [{ slot: 1, carrier: 'CHT', number: '+886' }], req_id });
    expect(await client.event('SIM_INFO')).toMatchObject({ sims: [{ slot: 1 }], req_id, from_device_id: host.id });

    const text = sms('Guten Abend\n你好 👋');
    client.send(text);
    expect(await host.command('SEND_SMS')).toEqual({ ...text, from_device_id: client.id });
    host.send({ type: 'event', event: 'SMS_SENT', status: 'ok', req_id: text.req_id });
    expect(await client.event('SMS_SENT')).toMatchObject({ status: 'ok', req_id: text.req_id });

    const call = { type: 'command', cmd: 'MAKE_CALL', sim: 2, to: '110', req_id: randomUUID() };
    client.send(call);
    await host.command('MAKE_CALL');
    for (const state of ['dialing', 'active']) {
      host.send({ type: 'event', event: 'CALL_STATE', state, sim: 2, req_id: call.req_id });
      expect(await client.event('CALL_STATE')).toMatchObject({ state });
    }
    client.send({ type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: call.req_id });
    expect(await host.next(({ action }) => action === 'offer')).toMatchObject({ sdp: 'v=0', req_id: call.req_id });
    host.send({ type: 'webrtc', action: 'answer', sdp: 'v=0', req_id: call.req_id });
    expect(await client.next(({ action }) => action === 'answer')).toMatchObject({ req_id: call.req_id });
    // The host's candidates name no request.
    host.send({ type: 'webrtc', action: 'ice', candidate: 'candidate:1', sdpMid: '0', sdpMLineIndex: 0 });
    expect(await client.next(({ action }) => action === 'ice')).toMatchObject({ candidate: 'candidate:1' });
    client.send({ type: 'command', cmd: 'HANG_UP', req_id: randomUUID() });
    const { req_id: hangUp } = await host.command('HANG_UP');
    host.send({ type: 'event', event: 'CALL_STATE', state: 'ended', req_id: hangUp });
    expect(await client.event('CALL_STATE')).toMatchObject({ state: 'ended' });

    host.send({ type: 'event', event: 'INCOMING_SMS', sim: 1, from: '+1555', body: 'Hello' });
    expect(await client.event('INCOMING_SMS')).toMatchObject({ from: '+1555', body: 'Hello' });
    client.send({ type: 'ping' });
    await client.next(({ type }) => type === 'pong');
    const { data } = await client.rest.get('/history?limit=50');
    expect(data.items.map(({ payload }: { payload: RelayFrame }) => payload.cmd ?? payload.event)).toEqual([
      ...['INCOMING_SMS', 'CALL_STATE', 'HANG_UP', 'CALL_STATE', 'CALL_STATE', 'MAKE_CALL'],
      ...['SMS_SENT', 'SEND_SMS', 'SIM_INFO', 'GET_SIMS'],
    ]);
  });

  it('use REST when they have no socket', async () => {
    await pairApps(host, client);
    const send = (path: string, body: object) => client.rest.post(path, { to_device_id: host.id, sim: 1, ...body });
    const answers = [
      await send('/sms', { to: '110', body: 'by REST' }),
      await send('/call', { to: '110' }),
      await client.rest.get(`/sims?host_device_id=${host.id}`),
    ];
    for (const { status, data } of answers) {
      expect([status, data]).toEqual([200, { status: 'queued', req_id: expect.any(String) }]);
    }
    await host.connect();
    const got = [await host.command('SEND_SMS'), await host.command('MAKE_CALL'), await host.command('GET_SIMS')];
    expect(got.map(({ req_id }) => req_id)).toEqual(answers.map(({ data }) => data.req_id));
    expect((await client.rest.get(`/sims?host_device_id=${host.id}`)).data.status).toBe('sent');
  });

  it('learn who is there, and that a newer connection has replaced theirs', async () => {
    await pairApps(host, client);
    await client.connect();
    await host.connect();
    expect(await client.event('DEVICE_ONLINE')).toMatchObject({ device_id: host.id });
    const replaced = host.ended();
    host = host.twin();
    await host.connect();
    expect(await replaced).toEqual([1008, 'Replaced by new connection']);
    host.close();
    expect(await client.event('DEVICE_OFFLINE')).toMatchObject({ device_id: host.id });
  });
});

describe('when the API dies between writing and acknowledgement', () => {
  it('no command is lost, and none that was answered comes again', async () => {
    const dying = await OwnApi.start({ LOG_LEVEL: 'info' });
    own.push(dying);
    await pairApps(host, client);
    host.port = client.port = dying.port;
    await Promise.all([host.connect(), client.connect()]);
    const [answered, delivered] = [sms('answered'), sms('delivered')];
    client.send(answered);
    await host.command('SEND_SMS');
    host.send({ type: 'event', event: 'SMS_SENT', status: 'ok', req_id: answered.req_id });
    await client.event('SMS_SENT');
    client.send(delivered);
    await host.command('SEND_SMS');
    const gone = host.ended();
    await dying.kill();
    await gone;

    host.port = client.port = new RelayApp('host').port;
    const { data } = await client.rest.post('/sms', { to_device_id: host.id, sim: 1, to: '110', body: 'meanwhile' });
    expect(data.status).toBe('queued');
    await host.connect();
    const bodies = [(await host.command('SEND_SMS')).body, (await host.command('SEND_SMS')).body];
    expect(bodies).toEqual(['delivered', 'meanwhile']);
    host.send({ type: 'event', event: 'SMS_SENT', status: 'ok', req_id: delivered.req_id });
    await client.connect();
    const news = await client.next(({ req_id }) => req_id === delivered.req_id);
    expect(news).toMatchObject({ event: 'SMS_SENT' });
    expect(host.frames.filter(({ type }) => type === 'command')).toEqual([]);
    expect(dying.log).not.toContain('token=');
    expect(dying.log).not.toContain('answered');
  });
});
