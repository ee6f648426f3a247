import { afterEach, describe, expect, it } from '@jest/globals';
import { platform } from '../support/platform.js';
import { endCall, establishCall, registeredClient } from '../support/sip-call.js';
import { audioDescription, type SipClient } from '../support/sip-client.js';
import { mediaSessions } from '../support/sip-media.js';
import { header } from '../support/sip-message.js';
import { withoutMediaRelay } from '../support/sip-server.js';
import { until } from '../support/wait.js';

const clients: SipClient[] = [];
const keep = (client: SipClient): SipClient => {
  clients.push(client);
  return client;
};

/** Port of the callers' and callees' own descriptions: neither may see the other's. */
const [CALLER_PORT, CALLEE_PORT] = [40_002, 40_004];

/** What a description says of its audio: address, port and profile. */
function audioOf(description: string): { address: string; port: number; profile: string } {
  const [, address = ''] = /^c=IN IP4 (\S+)/m.exec(description) ?? [];
  const [, port, profile = ''] = /^m=audio (\d+) (\S+)/m.exec(description) ?? [];
  return { address, port: Number(port), profile };
}

function expectRelayed(description: string): void {
  const { address, port } = audioOf(description);
  expect(address).toBe(platform.mediaAddress);
  expect([CALLER_PORT, CALLEE_PORT]).not.toContain(port);
  expect(description).not.toContain(platform.host);
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('the media of a call', () => {
  it('goes through the relay: no party learns the address of the other', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const call = await establishCall(alice, bob);

    expectRelayed(call.seenByCallee.body);
    expectRelayed(call.final.body);
    await endCall(call, alice, bob);
  });

  it('goes through the relay when the callee makes the offer', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const calling = alice.request('INVITE', bob.address);
    const invite = await bob.incoming('INVITE');
    bob.reply(invite, 200, { body: audioDescription(CALLEE_PORT) });
    const call = await calling;
    alice.withinCall(call, 'ACK', { body: audioDescription(CALLER_PORT) });
    const ack = await bob.incoming('ACK');

    expectRelayed(call.final.body);
    expectRelayed(ack.body);
    await endCall({ ...call, seenByCallee: invite }, alice, bob);
  });

  it('is no call without the relay: a refusal for the caller, and no ringing', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const { final } = await withoutMediaRelay(() => alice.request('INVITE', bob.address, { body: audioDescription() }));

    expect(final.status).toBe(503);
    const call = await establishCall(alice, bob);
    expect(header(call.seenByCallee, 'Call-ID')).toBe(header(call.request, 'Call-ID'));
    await endCall(call, alice, bob);
  });

  it('is not described to the caller when the relay has gone meanwhile', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const calling = alice.request('INVITE', bob.address, { body: audioDescription() });
    const invite = await bob.incoming('INVITE');
    const call = await withoutMediaRelay(() => {
      bob.reply(invite, 200, { body: audioDescription() });
      return calling;
    });

    expect([call.final.status, call.final.body]).toEqual([200, '']);
    alice.withinCall(call, 'ACK');
    await endCall({ ...call, seenByCallee: invite }, alice, bob);
  });

  it('is WebRTC towards a browser and plain RTP towards a phone', async () => {
    const [phone, browser] = [keep(await registeredClient('alice')), keep(await registeredClient('bob', 'wss'))];
    const call = await establishCall(phone, browser);

    expect(audioOf(call.seenByCallee.body).profile).toMatch(/RTP\/SAVPF$/);
    expect(call.seenByCallee.body).toMatch(/^a=fingerprint:/m);
    expect(call.seenByCallee.body).toMatch(/^a=ice-ufrag:/m);
    expect(call.seenByCallee.body).not.toMatch(/^a=crypto:/m);
    expect(audioOf(call.final.body).profile).toBe('RTP/AVP');
    expect(call.final.body).not.toMatch(/^a=(fingerprint|ice-ufrag):/m);
    await endCall(call, phone, browser);
  });

  it('stays when a change of the call is refused, and goes when the call ends', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const call = await establishCall(alice, bob);
    const callId = header(call.request, 'Call-ID');

    const change = alice.withinCall(call, 'INVITE', { body: audioDescription(CALLER_PORT), sequence: 5 });
    const seen = await bob.incoming('INVITE');
    expectRelayed(seen.body);
    bob.reply(seen, 488);
    alice.acknowledge(change, await alice.final(change));
    await bob.incoming('ACK');

    expect(await mediaSessions()).toContain(callId);
    const farewell = alice.withinCall(call, 'BYE', { sequence: 6 });
    bob.reply(await bob.incoming('BYE'), 200);
    expect((await alice.final(farewell)).status).toBe(200);
    await until('the relay has forgotten the call', async () => !(await mediaSessions()).includes(callId));
  });
});
