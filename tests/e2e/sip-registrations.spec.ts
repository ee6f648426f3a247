import { afterEach, describe, expect, it } from '@jest/globals';
import { registerAccount } from '../support/api.js';
import { Baresip } from '../support/baresip.js';
import { endCall, establishCall, registeredClient } from '../support/sip-call.js';
import { SipClient } from '../support/sip-client.js';
import { mediaSessions } from '../support/sip-media.js';
import { headersOf } from '../support/sip-message.js';
import { killKamailio, rpc } from '../support/sip-server.js';
import { until } from '../support/wait.js';

const clients: SipClient[] = [];
const keep = (client: SipClient): SipClient => {
  clients.push(client);
  return client;
};

/** Sends a SIP MESSAGE; the status that its sender is told. */
async function message(from: SipClient, to: string): Promise<number> {
  const { final } = await from.request('MESSAGE', to, { body: 'hello', contentType: 'text/plain' });
  return final.status;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('a phone', () => {
  it.each(['udp', 'tcp', 'tls'] as const)(
    'registers over %s, and is refused with a wrong password',
    async (transport) => {
      const account = await registerAccount('alice');

      const phone = await Baresip.start(account, { transport });
      await phone.stop();

      const impostor = await Baresip.launch({ ...account, password: 'Pw-that-is-wrong' }, { transport });
      try {
        expect(await impostor.registration()).toBe(403);
      } finally {
        await impostor.stop();
      }
    },
  );
});

describe('a registration', () => {
  it('is one of several of the account, and ends when its device says so', async () => {
    const account = await registerAccount('bob');
    const [desk, mobile] = [keep(await SipClient.open(account, 'udp')), keep(await SipClient.open(account, 'wss'))];
    await desk.register();
    expect(
      headersOf(await mobile.register(), 'Contact')
        .join()
        .match(/<sip:/g),
    ).toHaveLength(2);

    const gone = await desk.register({ expires: 0 });

    expect(headersOf(gone, 'Contact').join()).toContain(';transport=ws');
    expect(headersOf(gone, 'Contact').join().match(/<sip:/g)).toHaveLength(1);
  });

  it.each(['tcp', 'tls', 'wss'] as const)(
    'over %s is worth nothing once its connection is closed',
    async (transport) => {
      const alice = keep(await registeredClient('alice'));
      const bob = await registeredClient('bob', transport);

      bob.close();

      const began = performance.now();
      expect(await message(alice, bob.address)).toBe(480);
      expect(performance.now() - began).toBeLessThan(3000);
    },
  );

  it('ends when the operator says so', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const addressOfRecord = bob.address.replace('sip:', '');

    expect((await rpc('ul.rm', ['location', addressOfRecord])).status).toBe(200);

    expect(await message(alice, bob.address)).toBe(480);
  });

  it('outlives kill -9 of the server, and so does a call', async () => {
    const [alice, bob] = [keep(await registeredClient('alice')), keep(await registeredClient('bob'))];
    const call = await establishCall(alice, bob);

    await killKamailio();

    const sending = message(alice, bob.address);
    bob.reply(await bob.incoming('MESSAGE'), 200);
    expect(await sending).toBe(200);
    await endCall(call, alice, bob);
    const [callId = ''] = headersOf(call.request, 'Call-ID');
    await until('the relay has forgotten the call', async () => !(await mediaSessions()).includes(callId));
  });
});
