import { afterEach, describe, expect, it } from '@jest/globals';
import { registerAccount, uniqueName } from '../support/api.js';
import { platform } from '../support/platform.js';
import {
  barrier,
  cancelCall,
  endCall,
  finals,
  registeredClient,
  relayForgets,
  startCall,
} from '../support/sip-call.js';
import { addressOf, audioDescription, SipClient } from '../support/sip-client.js';
import { header, isRequest, tagOf } from '../support/sip-message.js';
import { until } from '../support/wait.js';

const clients: SipClient[] = [];
const keep = (client: SipClient): SipClient => {
  clients.push(client);
  return client;
};

/** Two devices of one account. */
async function twoDevices(): Promise<[SipClient, SipClient]> {
  const account = await registerAccount('bob');
  const devices: [SipClient, SipClient] = [await SipClient.open(account, 'udp'), await SipClient.open(account, 'udp')];
  for (const device of devices) {
    keep(device);
    await device.register();
  }
  return devices;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('an INVITE for somebody who is offline', () => {
  it.each(['offline', 'unknown'])('is answered 480 once; a repetition gets the same answer again (%s)', async (who) => {
    const alice = keep(await registeredClient('alice'));
    const uri = addressOf(who === 'offline' ? (await registerAccount('bob')).username : uniqueName('nobody'));

    const call = await startCall(alice, uri);
    alice.acknowledge(call, await alice.final(call));
    await barrier(alice);
    expect(finals(call)).toEqual([480]);

    for (let repeated = 0; repeated < 5; repeated += 1) alice.transport.send(call.request);
    await barrier(alice);
    expect(new Set(finals(call))).toEqual(new Set([480]));
    expect(new Set(call.responses.map((response) => tagOf(response, 'To'))).size).toBe(1);
    await relayForgets(call);
  });

  it('is answered 480 once over a reliable transport too', async () => {
    const alice = keep(await registeredClient('alice', 'tcp'));
    const call = await startCall(alice, addressOf((await registerAccount('bob')).username));
    alice.acknowledge(call, await alice.final(call));
    await barrier(alice);

    expect(finals(call)).toEqual([480]);
  });
});

describe('an INVITE', () => {
  it('that is repeated rings once', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const call = await startCall(alice, bob.address);
    const invite = await bob.incoming('INVITE');
    bob.reply(invite, 180, { tag: 'ringing' });
    await until('it rings', () => call.responses.some(({ status }) => status === 180));

    alice.transport.send(call.request);
    alice.transport.send(call.request);
    await barrier(alice);
    await barrier(bob);

    expect(bob.received.filter(isRequest)).toEqual([]);
    bob.reply(invite, 603, { tag: 'ringing' });
    alice.acknowledge(call, await alice.final(call));
    expect(finals(call)).toEqual([603]);
    await relayForgets(call);
  });

  it('that is cancelled stops ringing on every device, and is told 487', async () => {
    const alice = keep(await registeredClient('alice'));
    const devices = await twoDevices();
    const call = await startCall(alice, devices[0].address);
    const invites = await Promise.all(devices.map((device) => device.incoming('INVITE')));
    for (const [n, device] of devices.entries()) device.reply(invites[n]!, 180, { tag: `device-${n}` });
    await until('both ring', () => call.responses.filter(({ status }) => status === 180).length === 2);

    cancelCall(alice, call);

    for (const [n, device] of devices.entries()) {
      device.reply(await device.incoming('CANCEL'), 200);
      device.reply(invites[n]!, 487, { tag: `device-${n}` });
    }
    const answer = await alice.final(call);
    alice.acknowledge(call, answer);
    expect(answer.status).toBe(487);
    await relayForgets(call);
  });

  it('that is answered on one device is cancelled on the other, which is told why', async () => {
    const alice = keep(await registeredClient('alice'));
    const [desk, mobile] = await twoDevices();
    const call = await startCall(alice, desk.address);
    const [atDesk, atMobile] = await Promise.all([desk.incoming('INVITE'), mobile.incoming('INVITE')]);
    desk.reply(atDesk, 180, { tag: 'desk' });
    await until('the desk rings', () => call.responses.some(({ status }) => status === 180));

    mobile.reply(atMobile, 200, { tag: 'mobile', body: audioDescription() });

    const cancel = await desk.incoming('CANCEL');
    expect(header(cancel, 'Reason')).toContain('cause=200');
    desk.reply(cancel, 200);
    desk.reply(atDesk, 487, { tag: 'desk' });
    const final = await alice.final(call);
    expect(final.status).toBe(200);
    alice.withinCall({ ...call, final }, 'ACK');
    const farewell = alice.withinCall({ ...call, final }, 'BYE');
    mobile.reply(await mobile.incoming('BYE'), 200);
    expect((await alice.final(farewell)).status).toBe(200);
    await relayForgets(call);
  });

  it('that one device refuses is answered on another, and relayed', async () => {
    const alice = keep(await registeredClient('alice'));
    const [desk, mobile] = await twoDevices();
    const call = await startCall(alice, desk.address);
    const [atDesk, atMobile] = await Promise.all([desk.incoming('INVITE'), mobile.incoming('INVITE')]);
    desk.reply(atDesk, 486, { tag: 'desk' });
    await desk.incoming('ACK');

    mobile.reply(atMobile, 200, { tag: 'mobile', body: audioDescription() });

    const final = await alice.final(call);
    expect(final.status).toBe(200);
    expect(final.body).toContain(platform.mediaAddress);
    alice.withinCall({ ...call, final }, 'ACK');
    await mobile.incoming('ACK');
    await endCall({ ...call, final, seenByCallee: atMobile }, alice, mobile);
    await relayForgets(call);
  });

  it('that one device refuses while another one is dead is told the refusal', async () => {
    const alice = keep(await registeredClient('alice'));
    const [dead, busy] = await twoDevices();
    clients.splice(clients.indexOf(dead), 1);
    dead.close();

    const call = await startCall(alice, busy.address);
    busy.reply(await busy.incoming('INVITE'), 486);

    const answer = await alice.final(call);
    alice.acknowledge(call, answer);
    expect(answer.status).toBe(486);
    await relayForgets(call);
  });
});

describe('a CANCEL', () => {
  it('of a call that was never made is told so', async () => {
    const alice = keep(await registeredClient('alice'));

    expect((await alice.final(alice.send('CANCEL', alice.address))).status).toBe(481);
  });
});
