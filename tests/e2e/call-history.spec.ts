/**
 * What became of a call: both its parties find it in their history, and its trace tells the callee why the phone rang, or
 * did not. Devices that did not take it stop ringing.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount, uniqueName } from '../support/api.js';
import { serverPids } from '../support/host.js';
import { cancelCall, establishCall, startCall } from '../support/sip-call.js';
import { addressOf, audioDescription, type Exchange, SipClient } from '../support/sip-client.js';
import { header, type SipRequest } from '../support/sip-message.js';
import { until } from '../support/wait.js';

const RING_MS = 8000;
const LATE_MS = 4000;

interface Call {
  call_id: string;
  direction: string;
  peer: string;
  outcome: string | null;
  duration_seconds: number | null;
}

interface Step {
  ms: number;
  kind: string;
  device_id: string | null;
  status: number | null;
}

const clients: SipClient[] = [];

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function device(account: Account): Promise<SipClient> {
  const client = await SipClient.open(account, 'udp');
  clients.push(client);
  return client;
}

async function registered(account: Account): Promise<SipClient> {
  const client = await device(account);
  expect((await client.register()).status).toBe(200);
  return client;
}

/** Two accounts, a client of the first, and a call from it that rings although nobody is there. */
async function held(displayName = '') {
  const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  const calling = await registered(alice);
  const call = await startCall(calling, addressOf(bob.username), displayName);
  await until('the caller hears ringing', () => call.responses.some(({ status }) => status === 180));
  return { alice, bob, calling, call, callId: header(call.request, 'Call-ID') };
}

/** The call as an account finds it once it is over. */
const over = ({ api }: Account, callId: string, outcome: string): Promise<Call> =>
  until(`the call is ${outcome}`, async () => {
    const { data } = await api.get<{ calls: Call[] }>('/calls');
    return data.calls.find((call) => call.call_id === callId && call.outcome === outcome);
  });

/** The trace of a call, once it has a step of that kind. */
const traceWith = ({ api }: Account, callId: string, kind: string): Promise<Step[]> =>
  until(`the trace tells ${kind}`, async () => {
    const { data } = await api.get<{ events?: Step[] }>(`/calls/${encodeURIComponent(callId)}/trace`);
    return data.events?.some((step) => step.kind === kind) && data.events;
  });

const kindsOf = (steps: Step[]): string[] => steps.map(({ kind }) => kind);

/** A device has the call, and the caller hears that it rings there. */
async function rings(phone: SipClient, call: Exchange): Promise<SipRequest> {
  const invite = await phone.incoming('INVITE');
  const ringing = () => call.responses.filter(({ status }) => status === 180).length;
  const before = ringing();
  phone.reply(invite, 180, { tag: 'phone' });
  await until('it rings there', () => ringing() > before);
  return invite;
}

/** How long a phone of a separate address waits for each registration, in milliseconds. */
async function registerTenTimes(account: Account, address: string): Promise<number[]> {
  const client = await SipClient.open(account, 'udp', address);
  clients.push(client);
  const times: number[] = [];
  for (let n = 0; n < 10; n += 1) {
    const startedAt = performance.now();
    expect((await client.register()).status).toBe(200);
    times.push(performance.now() - startedAt);
  }
  return times;
}

/** Takes a call that rings on a device; the caller hangs up. */
async function answer(phone: SipClient, calling: SipClient, call: Exchange): Promise<void> {
  const invite = await rings(phone, call);
  phone.reply(invite, 200, { tag: 'phone', body: audioDescription() });
  const final = await calling.final(call);
  calling.withinCall({ ...call, final }, 'ACK');
  await phone.incoming('ACK');
  const end = calling.withinCall({ ...call, final }, 'BYE');
  phone.reply(await phone.incoming('BYE'), 200);
  await calling.final(end);
}

const refusal = async (calling: SipClient, call: Exchange): Promise<number> => {
  const final = await calling.final(call, RING_MS + LATE_MS);
  calling.acknowledge(call, final);
  return final.status;
};

describe('the history and the trace', () => {
  it('tell of a call that was held until a device woke, and answered', async () => {
    const { alice, bob, calling, call, callId } = await held();
    const phone = await registered(bob);
    await answer(phone, calling, call);
    const steps = await traceWith(bob, callId, 'hung_up');
    expect(kindsOf(steps)).toEqual(['invite', 'held', 'registered', 'invited', 'ringing', 'answered', 'hung_up']);
    const times = steps.map(({ ms }) => ms);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    expect(times[0]).toBe(0);
    expect(await over(bob, callId, 'answered')).toMatchObject({ direction: 'incoming', peer: alice.username });
    const own = await over(alice, callId, 'answered');
    expect(own).toMatchObject({ direction: 'outgoing', peer: bob.username });
    expect(own.duration_seconds).toBeGreaterThanOrEqual(0);
    expect(kindsOf(await traceWith(alice, callId, 'hung_up'))).toEqual([
      ...['invite', 'held', 'ringing', 'answered', 'hung_up'],
    ]);
    const carol = await registerAccount('carol');
    expect((await carol.api.get(`/calls/${encodeURIComponent(callId)}/trace`)).status).toBe(404);
  });

  it('tell of one that nobody took', async () => {
    const { bob, calling, call, callId } = await held();
    expect(await refusal(calling, call)).toBe(480);
    await over(bob, callId, 'missed');
    const steps = await traceWith(bob, callId, 'ended');
    expect(kindsOf(steps)).toEqual(['invite', 'held', 'ended']);
    expect(steps[2]).toMatchObject({ status: 480 });
    expect(steps[2]!.ms).toBeGreaterThan(RING_MS - LATE_MS);
  });

  it('tell of one that its caller gave up, before and after a device woke', async () => {
    const before = await held();
    cancelCall(before.calling, before.call);
    expect(await refusal(before.calling, before.call)).toBe(487);
    await over(before.bob, before.callId, 'cancelled');
    const after = await held();
    const phone = await registered(after.bob);
    const invite = await rings(phone, after.call);
    cancelCall(after.calling, after.call);
    phone.reply(await phone.incoming('CANCEL'), 200);
    phone.reply(invite, 487, { tag: 'phone' });
    expect(await refusal(after.calling, after.call)).toBe(487);
    await over(after.alice, after.callId, 'cancelled');
    expect(kindsOf(await traceWith(after.bob, after.callId, 'ended'))).toEqual([
      ...['invite', 'held', 'registered', 'invited', 'ringing', 'ended'],
    ]);
  });

  it('tell of one to a phone that is there, and who hung up', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const [calling, phone] = [await registered(alice), await registered(bob)];
    const call = await establishCall(calling, phone);
    const callId = header(call.request, 'Call-ID');
    expect(await over(bob, callId, 'answered')).toMatchObject({ duration_seconds: null });
    const farewell = calling.withinCall(call, 'BYE');
    phone.reply(await phone.incoming('BYE'), 200);
    await calling.final(farewell);
    // Over UDP, what a phone says in one moment may change places.
    const kinds = kindsOf(await traceWith(bob, callId, 'hung_up'));
    expect(kinds.toSorted()).toEqual(['answered', 'hung_up', 'invite', 'invited', 'ringing']);
  });

  it('tell of each device that is known by its instance', async () => {
    const instance = '0c7b1f0e-6a3c-4f5e-9d4f-2f0a9c1f3b77';
    const { alice, bob, calling, call, callId } = await held();
    const registration = { jid: bob.jid, device_id: instance, platform: 'ios', push_token: 'x', app_id: 'com.example' };
    expect((await bob.api.post('/push/register', registration)).status).toBe(200);
    const phone = await device(bob);
    const headers: [string, string][] = [['Contact', `${phone.contact};+sip.instance="<urn:uuid:${instance}>"`]];
    const { final } = await phone.request('REGISTER', phone.address.replace(/.*@/, 'sip:'), {
      to: phone.address,
      headers,
    });
    expect(final.status).toBe(200);
    await answer(phone, calling, call);
    const steps = await traceWith(bob, callId, 'hung_up');
    expect(steps.filter(({ device_id }) => device_id === instance).map(({ kind }) => kind)).toEqual([
      ...['invited', 'ringing', 'answered'],
    ]);
    expect(JSON.stringify(await traceWith(alice, callId, 'hung_up'))).not.toContain(instance);
  });

  it('are not changed by what a caller calls himself', async () => {
    const name = '"\\", \\"kind\\": \\"answered\\", \\"x\\": \\""';
    const { bob, calling, call, callId } = await held(`${name} `);
    cancelCall(calling, call);
    expect(await refusal(calling, call)).toBe(487);
    await over(bob, callId, 'cancelled');
    expect(kindsOf(await traceWith(bob, callId, 'ended'))).toEqual(['invite', 'held', 'ended']);
  });

  it('are complete when the API was away meanwhile: registrations are as quick as ever', async () => {
    const { api } = await serverPids();
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const carol = await registerAccount('carol');
    const [calling, phone] = [await registered(alice), await device(bob)];
    process.kill(api, 'SIGSTOP');
    let call: Exchange;
    try {
      const others = Array.from({ length: 6 }, () => startCall(calling, addressOf(uniqueName('nobody'))));
      const times = (
        await Promise.all(Array.from({ length: 10 }, (_, n) => registerTenTimes(carol, `127.0.0.${10 + n}`)))
      ).flat();
      expect(times.toSorted((a, b) => a - b)[98]).toBeLessThan(2000);
      for (const other of await Promise.all(others)) cancelCall(calling, other);
      call = await startCall(calling, addressOf(bob.username));
      await until('the caller hears ringing', () => call.responses.some(({ status }) => status === 180));
      expect((await phone.register()).status).toBe(200);
      await answer(phone, calling, call);
    } finally {
      process.kill(api, 'SIGCONT');
    }
    const callId = header(call.request, 'Call-ID');
    expect(await over(bob, callId, 'answered')).toMatchObject({ peer: alice.username });
    expect(kindsOf(await traceWith(bob, callId, 'hung_up'))).toEqual([
      ...['invite', 'held', 'registered', 'invited', 'ringing', 'answered', 'hung_up'],
    ]);
  });
});

describe('a device that did not take the call', () => {
  /** Two devices that ring. */
  async function ringing() {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const [calling, first, second] = [await registered(alice), await registered(bob), await registered(bob)];
    const call = await startCall(calling, addressOf(bob.username));
    const invites = [await first.incoming('INVITE'), await second.incoming('INVITE')] as const;
    first.reply(invites[0], 180, { tag: 'first' });
    second.reply(invites[1], 180, { tag: 'second' });
    await until('both ring', () => call.responses.filter(({ status }) => status === 180).length > 1);
    return { alice, bob, calling, first, second, call, invites, callId: header(call.request, 'Call-ID') };
  }

  async function stops(phone: SipClient, invite: SipRequest): Promise<string> {
    const cancel = await phone.incoming('CANCEL');
    phone.reply(cancel, 200);
    phone.reply(invite, 487, { tag: 'stopped' });
    return header(cancel, 'Reason');
  }

  it('stops ringing, and hears that another has it', async () => {
    const { bob, calling, first, second, call, invites, callId } = await ringing();
    second.reply(invites[1], 200, { tag: 'second', body: audioDescription() });
    expect(await stops(first, invites[0])).toMatch(/^SIP\s*;\s*cause=200\s*;\s*text="Call completed elsewhere"$/);
    const final = await calling.final(call);
    calling.withinCall({ ...call, final }, 'ACK');
    await over(bob, callId, 'answered');
  });

  it('stops ringing, and hears that another has declined for all', async () => {
    const { bob, calling, first, second, call, invites, callId } = await ringing();
    first.reply(invites[0], 603, { tag: 'first' });
    await first.incoming('ACK');
    expect(await stops(second, invites[1])).toMatch(/^SIP\s*;\s*cause=603/);
    expect(await refusal(calling, call)).toBe(603);
    await over(bob, callId, 'declined');
  });

  it('rings on when another is busy', async () => {
    const { bob, calling, first, second, call, invites, callId } = await ringing();
    first.reply(invites[0], 486, { tag: 'first' });
    await first.incoming('ACK');
    second.reply(invites[1], 200, { tag: 'second', body: audioDescription() });
    const final = await calling.final(call);
    expect(final.status).toBe(200);
    calling.withinCall({ ...call, final }, 'ACK');
    await over(bob, callId, 'answered');
  });

  it('stops ringing when the caller gives up', async () => {
    const { bob, calling, first, second, call, invites, callId } = await ringing();
    cancelCall(calling, call);
    await Promise.all([stops(first, invites[0]), stops(second, invites[1])]);
    expect(await refusal(calling, call)).toBe(487);
    await over(bob, callId, 'cancelled');
  });
});
