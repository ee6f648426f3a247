import { afterEach, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { Baresip, type PhoneOptions } from '../support/baresip.js';
import { freePort } from '../support/baresip-control.js';
import { mediaSessions, relayedPackets } from '../support/sip-media.js';
import { sipp } from '../support/sip-sipp.js';
import { until } from '../support/wait.js';

/** Two seconds of audio, in packets of 20 ms. */
const ENOUGH_PACKETS = 100;
/** Tones of caller and callee; a tone that is heard has a strength near 4000, a missing one near 0. */
const [CALLER_TONE, CALLEE_TONE] = [440, 880];
const HEARD = 2000;
const NOT_HEARD = 100;

const CALLS = 12;

const phones: Baresip[] = [];

async function phoneOf(account: Account, options: PhoneOptions = {}): Promise<Baresip> {
  const phone = await Baresip.start(account, options);
  phones.push(phone);
  return phone;
}

/** Two accounts, each with a phone. */
async function twoPhones(
  callerOptions: PhoneOptions = {},
  calleeOptions: PhoneOptions = {},
): Promise<[Baresip, Baresip]> {
  const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  return Promise.all([
    phoneOf(alice, { toneHertz: CALLER_TONE, ...callerOptions }),
    phoneOf(bob, { toneHertz: CALLEE_TONE, ...calleeOptions }),
  ]);
}

/** Dials and answers; returns the Call-ID. */
async function connect(caller: Baresip, callee: Baresip): Promise<string> {
  await caller.dial(callee.address);
  await callee.event('CALL_INCOMING');
  await caller.event('CALL_RINGING');
  await callee.answer();
  const { id = '' } = await caller.event('CALL_ESTABLISHED');
  await callee.event('CALL_ESTABLISHED');
  return id;
}

const audioFlowed = (callId: string): Promise<boolean> =>
  until('the relay has received two seconds of audio from each side', async () => {
    const packets = await relayedPackets(callId);
    return packets.length === 2 && packets.every((count) => count >= ENOUGH_PACKETS);
  });

const relayIsFree = (callId: string): Promise<boolean> =>
  until('the relay has forgotten the call', async () => !(await mediaSessions()).includes(callId));

async function expectAudioBothWays(caller: Baresip, callee: Baresip): Promise<void> {
  const [ofCaller, ofCallee] = await Promise.all([caller.counters(), callee.counters()]);
  expect(Math.min(ofCaller.received, ofCallee.received)).toBeGreaterThanOrEqual(ENOUGH_PACKETS - 5);
  expect(ofCaller.received).toBeLessThanOrEqual(ofCallee.sent);
  expect(ofCallee.received).toBeLessThanOrEqual(ofCaller.sent);
  expect(caller.heard(CALLEE_TONE)).toBeGreaterThan(HEARD);
  expect(callee.heard(CALLER_TONE)).toBeGreaterThan(HEARD);
  expect(caller.heard(CALLER_TONE)).toBeLessThan(NOT_HEARD);
  expect(callee.heard(CALLEE_TONE)).toBeLessThan(NOT_HEARD);
}

afterEach(async () => {
  await Promise.all(phones.splice(0).map((phone) => phone.stop()));
});

describe('a call between two phones', () => {
  it.each([
    ['udp', 'udp'],
    ['tcp', 'udp'],
    ['udp', 'tls'],
    ['tls', 'tcp'],
  ] as const)('carries audio both ways from %s to %s, and the callee hangs up', async (from, to) => {
    const [caller, callee] = await twoPhones({ transport: from }, { transport: to });
    const callId = await connect(caller, callee);
    await audioFlowed(callId);

    await callee.hangUp();
    await caller.event('CALL_CLOSED');

    await expectAudioBothWays(caller, callee);
    await relayIsFree(callId);
  });

  it('ends for the callee when the caller hangs up', async () => {
    const [caller, callee] = await twoPhones();
    const callId = await connect(caller, callee);

    await caller.hangUp();

    await callee.event('CALL_CLOSED');
    await relayIsFree(callId);
  });

  it('is encrypted for a caller that insists, and plain for the callee that knows nothing of it', async () => {
    const [caller, callee] = await twoPhones({ transport: 'tls', mediaEncryption: 'srtp-mand' });
    const callId = await connect(caller, callee);
    await audioFlowed(callId);

    await caller.hangUp();
    await callee.event('CALL_CLOSED');

    await expectAudioBothWays(caller, callee);
    await relayIsFree(callId);
  });
});

describe('a call that is not answered', () => {
  it('is told busy when the callee refuses', async () => {
    const [caller, callee] = await twoPhones();
    await caller.dial(callee.address);
    await callee.event('CALL_INCOMING');
    const { id = '' } = await caller.event('CALL_RINGING');

    await callee.hangUp();

    expect((await caller.event('CALL_CLOSED')).param).toMatch(/^486 /);
    await relayIsFree(id);
  });

  it('stops ringing when the caller gives up', async () => {
    const [caller, callee] = await twoPhones();
    await caller.dial(callee.address);
    await callee.event('CALL_INCOMING');
    const { id = '' } = await caller.event('CALL_RINGING');
    expect(await mediaSessions()).toContain(id);

    await caller.hangUp();

    await callee.event('CALL_CLOSED');
    await relayIsFree(id);
  });

  it('is told that an account without a phone cannot be reached', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const caller = await phoneOf(alice);

    await caller.dial(`sip:${bob.jid}`);

    expect((await caller.event('CALL_CLOSED')).param).toMatch(/^480 /);
  });
});

describe('an account with two phones', () => {
  it('rings on both; the one that answers has the call, the other stops', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const caller = await phoneOf(alice, { toneHertz: CALLER_TONE });
    const desk = await phoneOf(bob, { transport: 'tcp' });
    const mobile = await phoneOf(bob, { transport: 'udp', toneHertz: CALLEE_TONE });

    await caller.dial(mobile.address);
    await Promise.all([desk.event('CALL_INCOMING'), mobile.event('CALL_INCOMING')]);
    await mobile.answer();

    const { id = '' } = await caller.event('CALL_ESTABLISHED');
    await desk.event('CALL_CLOSED');
    await until(
      'both sides talk',
      async () => (await relayedPackets(id)).filter((packets) => packets > 50).length === 2,
    );

    await caller.hangUp();
    await mobile.event('CALL_CLOSED');
    expect(caller.heard(CALLEE_TONE)).toBeGreaterThan(HEARD);
    await relayIsFree(id);
  });
});

describe('many calls at once', () => {
  it('all succeed, and none is left in the relay', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const [callerPort, calleePort] = [await freePort(), await freePort()];
    await sipp({ scenario: 'register', credentials: bob, port: calleePort });
    const callIdPrefix = uniqueName('calls');

    await Promise.all([
      sipp({ scenario: 'callee', credentials: bob, port: calleePort, calls: CALLS }),
      sipp({
        scenario: 'caller',
        credentials: alice,
        port: callerPort,
        callee: bob.username,
        calls: CALLS,
        callsPerSecond: 4,
        callIdPrefix,
      }),
    ]);

    await until(
      'the relay has forgotten them all',
      async () => !(await mediaSessions()).some((id) => id.startsWith(callIdPrefix)),
    );
  });
});
