import { afterEach, describe, expect, it } from '@jest/globals';
import { registerAccount, uniqueName } from '../support/api.js';
import { registeredClient } from '../support/sip-call.js';
import { addressOf, SipClient } from '../support/sip-client.js';
import { header, type SipResponse, uriOf } from '../support/sip-message.js';

const clients: SipClient[] = [];
const keep = (client: SipClient): SipClient => {
  clients.push(client);
  return client;
};

const TEXT = 'Grüße, 你好 — and "quotes" \\ too';

async function send(from: SipClient, to: string): Promise<SipResponse> {
  const { final } = await from.request('MESSAGE', to, { body: TEXT, contentType: 'text/plain;charset=utf-8' });
  return final;
}

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

describe('a SIP MESSAGE', () => {
  it.each([
    ['udp', 'udp'],
    ['tcp', 'wss'],
    ['wss', 'tls'],
  ] as const)('goes from %s to %s as it was written', async (from, to) => {
    const [alice, bob] = [keep(await registeredClient('alice', from)), keep(await registeredClient('bob', to))];
    const sending = send(alice, bob.address);

    const message = await bob.incoming('MESSAGE');
    bob.reply(message, 200);

    expect((await sending).status).toBe(200);
    expect([message.body, uriOf(header(message, 'From'))]).toEqual([TEXT, alice.address]);
  });

  it('reaches every device of the account', async () => {
    const alice = keep(await registeredClient('alice'));
    const account = await registerAccount('bob');
    const devices = [keep(await SipClient.open(account, 'udp')), keep(await SipClient.open(account, 'tcp'))];
    for (const device of devices) await device.register();

    const sending = send(alice, addressOf(account.username));
    for (const device of devices) device.reply(await device.incoming('MESSAGE'), 200);

    expect((await sending).status).toBe(200);
  });

  it('to somebody who is away is answered as one to somebody who does not exist', async () => {
    const alice = keep(await registeredClient('alice'));
    const away = await registerAccount('bob');

    const answers = [await send(alice, addressOf(away.username)), await send(alice, addressOf(uniqueName('nobody')))];

    expect(answers.map(({ status }) => status)).toEqual([480, 480]);
  });
});
