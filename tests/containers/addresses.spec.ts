/**
 * Whoever is refused or banned is the client, and not the proxy or the engine that all of them come through.
 */
import { afterEach, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { compose } from '../support/containers.js';
import { platform } from '../support/platform.js';
import { SipClient } from '../support/sip-client.js';
import type { TransportName } from '../support/sip-transport.js';
import { until } from '../support/wait.js';
import { XmppWebSocket } from '../support/xmpp-stream.js';

const OFFENDER = String(process.env.OTHER_CLIENT_ADDRESS);
const MOST_REQUESTS = 60;

const clients: { close(): void }[] = [];
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

async function sip(account: Account, transport: TransportName, from?: string): Promise<SipClient> {
  const client = await SipClient.open(account, transport, from);
  clients.push(client);
  return client;
}

const answered = (client: SipClient): Promise<boolean> =>
  client.final(client.send('OPTIONS', `sip:${platform.domain}`), 500).then(
    ({ status }) => status === 200,
    () => false,
  );

/** Null when the login succeeds; else why not, or that the stream was ended. */
async function logIn({ username, password }: Account, from?: string): Promise<string | null> {
  const stream = await XmppWebSocket.connect(platform.ports.xmppHttps, from);
  clients.push(stream);
  try {
    await stream.open();
    return await stream.authenticate(username, password);
  } catch {
    return 'ended';
  }
}

describe('the address of a client', () => {
  it.each(['udp', 'tls', 'wss'] as const)(
    'is what a phone is registered with over %s, or its proxy',
    async (transport) => {
      const account = await registerAccount('seen');
      const phone = await sip(account, transport);
      await phone.register();
      const words = ['-h', '/var/lib/veil/postgres/run/socket', '-p', String(platform.ports.database), '-At', 'veil'];
      const sql = `SELECT received FROM kamailio.location WHERE username = '${account.username}'`;
      const received = await compose('exec', '-T', 'db', 'psql', ...words, '-c', sql);
      const address = transport === 'wss' ? String(process.env.NETWORK_PREFIX) : platform.clientAddress;
      expect(received).toContain(`sip:${address}`);
    },
  );

  it('is what a flood through the HTTPS port counts for', async () => {
    const account = await registerAccount('flood');
    const [flooder, other] = [await sip(account, 'wss', OFFENDER), await sip(account, 'wss')];
    expect(await answered(flooder)).toBe(true);
    for (let count = 0; count < 2 * MOST_REQUESTS; count += 1) flooder.send('OPTIONS', `sip:${platform.domain}`);
    await until('it is banned', async () => !(await answered(flooder)));
    expect(await answered(other)).toBe(true);
    expect(await answered(await sip(account, 'udp', OFFENDER))).toBe(false);
  });

  it('is what wrong passwords through the HTTPS port count for', async () => {
    const account = await registerAccount('guess');
    expect(await logIn(account, OFFENDER)).toBeNull();
    const guess = (): Promise<string | null> => logIn({ ...account, password: 'not this' }, OFFENDER);
    expect(await guess()).toBe('not-authorized');
    await until('it is banned', async () => (await guess()) === 'ended');
    expect(await logIn(account, OFFENDER)).not.toBeNull();
    expect(await logIn(account)).toBeNull();
  });
});
