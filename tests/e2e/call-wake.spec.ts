/**
 * A sleeping phone rings: a call for somebody whose devices are away, or only seem to be there, is held until one of them
 * registers. Until then its caller hears ringing.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount, uniqueName } from '../support/api.js';
import { Baresip } from '../support/baresip.js';
import { serverPids, stateFile } from '../support/host.js';
import { platform } from '../support/platform.js';
import { barrier, cancelCall, finals, registeredClient, relayForgets, startCall } from '../support/sip-call.js';
import { addressOf, audioDescription, type Exchange, SipClient } from '../support/sip-client.js';
import { mediaSessions, relayedPackets } from '../support/sip-media.js';
import { header, isRequest, type SipRequest } from '../support/sip-message.js';
import type { TransportName } from '../support/sip-transport.js';
import { until } from '../support/wait.js';

/** What the platform of the tests has for RING_SECONDS, and some more. */
const RING_MS = 8000;
const LATE_MS = 4000;

const clients: SipClient[] = [];
const phones: Baresip[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(phones.splice(0).map((phone) => phone.stop()));
});

async function device(account: Account, transport: TransportName = 'udp'): Promise<SipClient> {
  const client = await SipClient.open(account, transport);
  clients.push(client);
  return client;
}

async function caller(transport: TransportName = 'udp'): Promise<SipClient> {
  const client = await registeredClient('alice', transport);
  clients.push(client);
  return client;
}

const wake = async (client: SipClient): Promise<void> => expect((await client.register()).status).toBe(200);

/** The caller hears ringing, although nobody is there. */
async function held(account: Account, transport: TransportName = 'udp') {
  const alice = await caller(transport);
  const call = await startCall(alice, addressOf(account.username));
  await until('the caller hears ringing', () => call.responses.some(({ status }) => status === 180));
  return { alice, call };
}

/** Takes a call on a device, and ends it from there. */
async function expectCall(alice: SipClient, call: Exchange, callee: SipClient): Promise<void> {
  const invite = await callee.incoming('INVITE');
  // Media crosses the relay, whoever answered when.
  expect(invite.body).toContain(`c=IN IP4 ${platform.mediaAddress}`);
  callee.reply(invite, 180, { tag: 'device' });
  callee.reply(invite, 200, { tag: 'device', body: audioDescription() });
  const final = await alice.final(call);
  expect(final.status).toBe(200);
  expect(final.body).toContain(`c=IN IP4 ${platform.mediaAddress}`);
  alice.withinCall({ ...call, final }, 'ACK');
  await callee.incoming('ACK');
  const farewell = alice.withinCall({ ...call, final }, 'BYE');
  callee.reply(await callee.incoming('BYE'), 200);
  expect((await alice.final(farewell)).status).toBe(200);
  await relayForgets(call);
}

const refusal = async (alice: SipClient, call: Exchange): Promise<number> => {
  const final = await alice.final(call, RING_MS + LATE_MS);
  alice.acknowledge(call, final);
  return final.status;
};

describe('a call to somebody whose devices sleep', () => {
  it.each<[TransportName, TransportName]>([
    ['udp', 'udp'],
    ['tcp', 'tls'],
    ['tls', 'tcp'],
    ['wss', 'udp'],
    ['udp', 'wss'],
  ])('rings on the first device that registers (from %s to %s)', async (from, to) => {
    const bob = await registerAccount('bob');
    const { alice, call } = await held(bob, from);
    expect(await mediaSessions()).not.toContain(header(call.request, 'Call-ID'));
    const phone = await device(bob, to);
    await wake(phone);
    await expectCall(alice, call, phone);
  });

  it('carries audio both ways', async () => {
    const [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
    const calling = await Baresip.start(alice, { toneHertz: 440 });
    phones.push(calling);
    await calling.dial(addressOf(bob.username));
    await calling.event('CALL_RINGING');
    const woken = await Baresip.start(bob, { toneHertz: 880 });
    phones.push(woken);
    await woken.rings();
    await woken.answer();
    const { id = '' } = await calling.event('CALL_ESTABLISHED');
    await until('both sides are heard', async () => {
      const packets = await relayedPackets(id);
      return packets.length === 2 && packets.every((count) => count >= 50);
    });
    await calling.hangUp();
    await woken.event('CALL_CLOSED');
    expect(calling.heard(880)).toBeGreaterThan(2000);
    expect(woken.heard(440)).toBeGreaterThan(2000);
  });

  it('rings on further devices that wake; one answers, the others stop', async () => {
    const bob = await registerAccount('bob');
    const { alice, call } = await held(bob);
    const [first, second] = [await device(bob), await device(bob, 'tcp')];
    await wake(first);
    const atFirst = await first.incoming('INVITE');
    first.reply(atFirst, 180, { tag: 'first' });
    await wake(second);
    const stopsRinging = async () => {
      const cancel = await first.incoming('CANCEL');
      expect(header(cancel, 'Reason')).toContain('cause=200');
      first.reply(cancel, 200);
      first.reply(atFirst, 487, { tag: 'first' });
    };
    await Promise.all([expectCall(alice, call, second), stopsRinging()]);
  });

  it('rings once on a device that registers again while it rings', async () => {
    const bob = await registerAccount('bob');
    const { alice, call } = await held(bob);
    const phone = await device(bob);
    await wake(phone);
    const invite = await phone.incoming('INVITE');
    phone.reply(invite, 180, { tag: 'phone' });
    await wake(phone);
    await barrier(phone);
    expect(phone.received.filter(isRequest)).toEqual([]);
    phone.reply(invite, 603, { tag: 'phone' });
    expect(await refusal(alice, call)).toBe(603);
    await relayForgets(call);
  });

  it('reaches all who call', async () => {
    const bob = await registerAccount('bob');
    const waiting = [await held(bob), await held(bob), await held(bob)];
    const phone = await device(bob);
    await wake(phone);
    const invites = [];
    for (const _ of waiting) invites.push(await phone.incoming('INVITE'));
    const callIds = (requests: SipRequest[]) => requests.map((each) => header(each, 'Call-ID'));
    expect(callIds(invites).sort()).toEqual(callIds(waiting.map(({ call }) => call.request)).sort());
    for (const [n, invite] of invites.entries()) phone.reply(invite, 486, { tag: `busy-${n}` });
    for (const { alice, call } of waiting) expect(await refusal(alice, call)).toBe(486);
  });

  it('is told 480 once when nobody wakes in time, and finds nobody later', async () => {
    const bob = await registerAccount('bob');
    const { alice, call } = await held(bob);
    expect(await refusal(alice, call)).toBe(480);
    const phone = await device(bob);
    await wake(phone);
    await barrier(phone);
    expect(phone.received.filter(isRequest)).toEqual([]);
    expect(finals(call)).toEqual([480]);
    expect(await mediaSessions()).not.toContain(header(call.request, 'Call-ID'));
  });

  it('ends when its caller hangs up, at once, and finds nobody later', async () => {
    const bob = await registerAccount('bob');
    const { alice, call } = await held(bob);
    const startedAt = performance.now();
    cancelCall(alice, call);
    expect(await refusal(alice, call)).toBe(487);
    expect(performance.now() - startedAt).toBeLessThan(RING_MS / 2);
    const phone = await device(bob);
    await wake(phone);
    await barrier(phone);
    expect(phone.received.filter(isRequest)).toEqual([]);
  });

  it('ends on the woken device as well when its caller hangs up then', async () => {
    const bob = await registerAccount('bob');
    const { alice, call } = await held(bob);
    const phone = await device(bob);
    await wake(phone);
    const invite = await phone.incoming('INVITE');
    phone.reply(invite, 180, { tag: 'phone' });
    await until('it rings there', () => call.responses.filter(({ status }) => status === 180).length > 1);
    cancelCall(alice, call);
    phone.reply(await phone.incoming('CANCEL'), 200);
    phone.reply(invite, 487, { tag: 'phone' });
    expect(await refusal(alice, call)).toBe(487);
    await relayForgets(call);
  });

  it('waits for an address that nobody has just the same', async () => {
    const alice = await caller();
    const call = await startCall(alice, addressOf(uniqueName('nobody')));
    await until('the caller hears ringing', () => call.responses.some(({ status }) => status === 180));
    expect(await refusal(alice, call)).toBe(480);
  });
});

describe('a call to a device that is registered but away', () => {
  it.each(['udp', 'tcp'] as const)('waits for one that wakes (%s)', async (transport) => {
    const bob = await registerAccount('bob');
    const away = await device(bob, transport);
    await wake(away);
    // Silent: its program is stopped, or its connection gone, and its registration still stands.
    clients.splice(clients.indexOf(away), 1);
    away.close();
    const { alice, call } = await held(bob);
    const phone = await device(bob);
    await wake(phone);
    await expectCall(alice, call, phone);
  });

  it('is an answer when the device is busy: nobody else is waited for', async () => {
    const bob = await registerAccount('bob');
    const phone = await device(bob);
    await wake(phone);
    const alice = await caller();
    const call = await startCall(alice, phone.address);
    phone.reply(await phone.incoming('INVITE'), 486);
    expect(await refusal(alice, call)).toBe(486);
  });
});

describe('the API', () => {
  /** How often the API was told of a call, as its log says once everything up to now is written. */
  async function notices(): Promise<number> {
    const { headers } = await apiClient().get('/server/info');
    const written = await until('the log is written', () => {
      const log = stateFile('log/api.log');
      return log.includes(`"${headers['x-request-id']}"`) && log;
    });
    return written.match(/"route":"\/api\/v1\/push\/call-notify","status":2/g)?.length ?? 0;
  }

  it('is told of a call once, whatever the caller calls himself', async () => {
    const bob = await registerAccount('bob');
    const alice = await caller();
    const names = ['', '"', 'A \\" } ]', 'x'.repeat(2000), 'Zoë\u202e', "'; DROP TABLE"];
    for (const name of names) {
      const before = await notices();
      const display = `"${name.replace(/[\\"]/g, '\\$&')}" `;
      const call = await startCall(alice, addressOf(bob.username), display);
      alice.transport.send(call.request);
      await until('the API is told', async () => (await notices()) > before);
      cancelCall(alice, call);
      expect(await refusal(alice, call)).toBe(487);
      expect(await notices()).toBe(before + 1);
    }
  });

  it('may be frozen: phones register as ever, and the call has its answer', async () => {
    const bob = await registerAccount('bob');
    const alice = await caller();
    const { api } = await serverPids();
    process.kill(api, 'SIGSTOP');
    try {
      const calls = await Promise.all(Array.from({ length: 6 }, () => startCall(alice, addressOf(bob.username))));
      const startedAt = performance.now();
      const phone = await device(bob);
      await wake(phone);
      expect(performance.now() - startedAt).toBeLessThan(RING_MS / 2);
      for (const _ of calls) phone.reply(await phone.incoming('INVITE'), 486);
      for (const call of calls) expect(await refusal(alice, call)).toBe(486);
    } finally {
      process.kill(api, 'SIGCONT');
    }
  });
});
