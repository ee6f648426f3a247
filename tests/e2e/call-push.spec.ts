/**
 * Calls wake sleeping devices through their providers, and stop their ringing: from the INVITE over the push to the voice.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeApns } from '@veil/api/dist/testing/push/fake-apns.js';
import { FakeFcm } from '@veil/api/dist/testing/push/fake-fcm.js';
import { FakeWebPush } from '@veil/api/dist/testing/push/fake-webpush.js';
import { type Account, registerAccount } from '../support/api.js';
import { Baresip } from '../support/baresip.js';
import { Browser } from '../support/browser.js';
import { type Device, registerDevice } from '../support/chat-push.js';
import { startServer, stopServer } from '../support/host.js';
import { OwnApi } from '../support/own-api.js';
import { platform } from '../support/platform.js';
import { cancelCall, registeredClient, relayForgets, startCall } from '../support/sip-call.js';
import { addressOf, audioDescription, type Exchange, SipClient } from '../support/sip-client.js';
import { relayedPackets } from '../support/sip-media.js';
import { header } from '../support/sip-message.js';
import { until } from '../support/wait.js';

/** What the platform of the tests has for RING_SECONDS, and some more. */
const MISSED_WITHIN_MS = 20_000;
const [CALLER_HERTZ, CALLEE_HERTZ] = [440, 880];

interface Step {
  kind: string;
  provider: string | null;
  result: string | null;
}

let apns: FakeApns;
let fcm: FakeFcm;
let web: FakeWebPush;
let api: OwnApi;
const clients: SipClient[] = [];
const phones: Baresip[] = [];

beforeAll(async () => {
  [apns, fcm, web] = await Promise.all([FakeApns.start(), FakeFcm.start(), FakeWebPush.start()]);
  await stopServer('api');
  // In the place of the platform's own: Kamailio tells it of calls.
  api = await OwnApi.start({
    API_PORT: String(platform.ports.api),
    API_INTERNAL_PORT: String(platform.ports.apiInternal),
    ...apns.environment,
    ...fcm.environment,
    ...web.environment,
  });
});

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(phones.splice(0).map((phone) => phone.stop()));
});

afterAll(async () => {
  await api.stop();
  await Promise.all([apns, fcm, web].map((fake) => fake.stop()));
  await startServer('api');
});

async function phone(account: Account, toneHertz: number): Promise<Baresip> {
  const started = await Baresip.start(account, { toneHertz });
  phones.push(started);
  return started;
}

async function device(account: Account, transport: 'udp' | 'tcp' = 'udp'): Promise<SipClient> {
  const client = await SipClient.open(account, transport);
  clients.push(client);
  return client;
}

/** An account whose devices sleep, and a call to it. */
async function callTo(account: Account) {
  const alice = await registeredClient('alice');
  clients.push(alice);
  const call = await startCall(alice, addressOf(account.username));
  return { alice, call, callId: header(call.request, 'Call-ID') };
}

const ringsOf = (callId: string) =>
  apns.accepted.filter(({ payload }) => payload.type === 'call' && payload.call_id === callId);
const rung = (callId: string) => until('APNs has the call', () => ringsOf(callId)[0]);

/** That a device shall stop ringing: never by a VoIP push. */
const toldToStop = ({ alertToken }: Device, callId: string) =>
  until('the device is told of the end', () =>
    apns.accepted.find(({ token, payload }) => token === alertToken && payload.call_id === callId),
  );

const voipPushes = (callId: string) =>
  apns.accepted.filter(({ payload, pushType }) => payload.call_id === callId && pushType === 'voip');

async function refusal(alice: SipClient, call: Exchange): Promise<number> {
  const final = await alice.final(call, MISSED_WITHIN_MS);
  alice.acknowledge(call, final);
  return final.status;
}

/** A SIP phone calls, a device of the callee is woken by `pushed`, and both hear each other. */
async function expectVoices(bob: Account, pushed: (callId: string) => Promise<unknown>): Promise<string> {
  const calling = await phone(await registerAccount('alice'), CALLER_HERTZ);
  await calling.dial(addressOf(bob.username));
  const { id: callId = '' } = await calling.event('CALL_RINGING');
  await pushed(callId);
  const woken = await phone(bob, CALLEE_HERTZ);
  await woken.rings();
  await woken.answer();
  await calling.event('CALL_ESTABLISHED');
  await until('both sides are heard', async () => {
    const packets = await relayedPackets(callId);
    return packets.length === 2 && packets.every((count) => count >= 50);
  });
  await calling.hangUp();
  await woken.event('CALL_CLOSED');
  expect(calling.heard(CALLEE_HERTZ)).toBeGreaterThan(1000);
  expect(woken.heard(CALLER_HERTZ)).toBeGreaterThan(1000);
  return callId;
}

describe('a call to somebody whose phone sleeps', () => {
  it('wakes an iPhone by one VoIP push, which then rings and talks; the trace tells how', async () => {
    const bob = await registerAccount('bob');
    await registerDevice(bob);
    const callId = await expectVoices(bob, rung);
    expect(ringsOf(callId)).toMatchObject([
      {
        environment: 'production',
        pushType: 'voip',
        topic: 'com.example.veil.voip',
        priority: 10,
        expiration: 0,
        payload: { type: 'call', call_type: 'audio' },
      },
    ]);
    const trace = await until('the trace is complete', async () => {
      const { data } = await bob.api.get(`/calls/${encodeURIComponent(callId)}/trace`);
      const steps = data.events as Step[];
      return steps.some(({ kind }) => kind === 'hung_up') && steps;
    });
    expect(trace.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(['invite', 'held', 'push', 'registered', 'invited', 'answered', 'hung_up']),
    );
    expect(trace.find(({ kind }) => kind === 'push')).toMatchObject({ provider: 'apns', result: 'accepted' });
  });

  it('wakes an Android phone by a message of high priority that lives as long as it rings', async () => {
    const bob = await registerAccount('bob');
    await registerDevice(bob, 'android', { platform: 'android', push_token: `fcm-${bob.username}` });
    const pushOf = (callId: string) =>
      fcm.messages.filter(({ data }) => data.type === 'call' && data.call_id === callId);
    const callId = await expectVoices(bob, (id) => until('FCM has the call', () => pushOf(id)[0]));
    const [push, ...others] = pushOf(callId);
    expect(others).toEqual([]);
    expect(push).toMatchObject({ data: { type: 'call' }, android: { priority: 'high' } });
    expect(Number.parseFloat(push!.android.ttl ?? '')).toBeGreaterThan(0);
  });

  it('wakes a browser by web push', async () => {
    const bob = await registerAccount('bob');
    const { platform: _, ...subscription } = web.subscribe();
    const registration = { jid: bob.jid, device_id: 'browser', app_id: 'web', platform: 'web', ...subscription };
    expect((await bob.api.post('/push/register', registration)).status).toBe(200);
    const calling = await phone(await registerAccount('alice'), CALLER_HERTZ);
    await calling.dial(addressOf(bob.username));
    const { id: callId = '' } = await calling.event('CALL_RINGING');
    const push = await until('the browser is pushed', () => web.messages.find(({ data }) => data.call_id === callId));
    expect(push).toMatchObject({ urgency: 'high', data: { type: 'call' } });
    const browser = await Browser.start();
    try {
      const woken = await browser.phone(bob, { toneHertz: CALLEE_HERTZ });
      await woken.answer();
      await calling.event('CALL_ESTABLISHED');
      await woken.hears(CALLER_HERTZ);
      await woken.hangUp();
      await calling.event('CALL_CLOSED');
    } finally {
      await browser.stop();
    }
  });

  it('is pushed though an old registration stands, of a phone whose connection is gone', async () => {
    const bob = await registerAccount('bob');
    await registerDevice(bob);
    const gone = await device(bob, 'tcp');
    expect((await gone.register()).status).toBe(200);
    clients.splice(clients.indexOf(gone), 1);
    gone.close();
    const { alice, call, callId } = await callTo(bob);
    await rung(callId);
    const woken = await device(bob);
    expect((await woken.register()).status).toBe(200);
    woken.reply(await woken.incoming('INVITE'), 486);
    expect(await refusal(alice, call)).toBe(486);
    expect(ringsOf(callId)).toHaveLength(1);
  });
});

describe('a device that was woken for a call', () => {
  it('stops ringing when another one answers', async () => {
    const bob = await registerAccount('bob');
    const [first, second] = [await registerDevice(bob, 'first'), await registerDevice(bob, 'second')];
    const { alice, call, callId } = await callTo(bob);
    await until('both are pushed', () => ringsOf(callId).length === 2);
    const answering = await device(bob);
    expect((await answering.register()).status).toBe(200);
    const invite = await answering.incoming('INVITE');
    answering.reply(invite, 200, { body: audioDescription() });
    const final = await alice.final(call);
    expect(final.status).toBe(200);
    alice.withinCall({ ...call, final }, 'ACK');
    await answering.incoming('ACK');
    for (const other of [first, second]) {
      const push = await toldToStop(other, callId);
      expect(push.payload).toMatchObject({ type: 'call_ended', reason: 'answered_elsewhere' });
      expect([push.pushType, push.topic]).toEqual(['background', 'com.example.veil']);
    }
    const farewell = alice.withinCall({ ...call, final }, 'BYE');
    answering.reply(await answering.incoming('BYE'), 200);
    expect((await alice.final(farewell)).status).toBe(200);
    await relayForgets(call);
  });

  it('stops ringing when the caller hangs up', async () => {
    const bob = await registerAccount('bob');
    const iphone = await registerDevice(bob);
    const { alice, call, callId } = await callTo(bob);
    await rung(callId);
    cancelCall(alice, call);
    expect(await refusal(alice, call)).toBe(487);
    expect((await toldToStop(iphone, callId)).payload).toMatchObject({ type: 'call_ended', reason: 'cancelled' });
    expect(voipPushes(callId)).toHaveLength(1);
  });

  it('is told of a call that nobody took', async () => {
    const bob = await registerAccount('bob');
    const iphone = await registerDevice(bob);
    const { alice, call, callId } = await callTo(bob);
    await rung(callId);
    expect(await refusal(alice, call)).toBe(480);
    const push = await toldToStop(iphone, callId);
    expect(push).toMatchObject({ pushType: 'alert', payload: { type: 'call_ended', reason: 'missed' } });
  });
});
