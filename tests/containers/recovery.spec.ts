/**
 * A server whose process is killed is back by itself, with all that it had.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { answers, containers, processesOf } from '../support/containers.js';
import { https } from '../support/https.js';
import { platform } from '../support/platform.js';
import { SipClient } from '../support/sip-client.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';

const BACK_WITHIN = { timeoutMs: 50_000 };
const SERVERS = ['db', 'ejabberd', 'kamailio', 'rtpengine', 'coturn', 'api', 'proxy'];
const LOGIN = { mechanism: 'SCRAM-SHA-256-PLUS', tlsVersion: '1.2' } as const;

let alice: Account;
let bob: Account;

beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
});

afterAll(closeXmppClients);

describe('kill -9', () => {
  it.each([
    ['db', 'postgres'],
    ['ejabberd', 'ejabberd'],
    ['kamailio', 'kamailio'],
    ['rtpengine', 'rtpengine'],
    ['coturn', 'coturn'],
    ['api', 'api'],
    ['proxy', 'proxy'],
  ])('of the process of %s: it is back, in another container process, and answers', async (service, name) => {
    const [before] = await containers(service);
    const [pid] = await processesOf(before!);
    process.kill(pid!, 'SIGKILL');
    await until(
      `${service} is back`,
      async () => {
        const [now] = await containers(service);
        return now!.State.StartedAt !== before!.State.StartedAt && (await answers(now!, name));
      },
      BACK_WITHIN,
    );
  });

  it('of all of them at once, as when the machine is switched off, has lost nothing: accounts log in, chat, and register phones', async () => {
    const all = await containers(...SERVERS);
    const pids = (await Promise.all(all.map(processesOf))).map(([pid]) => pid!);
    for (const pid of pids) process.kill(pid, 'SIGKILL');
    await until(
      'the platform is ready',
      async () => (await https.get(`${platform.apiUrl}/health/ready`)).data.status === 'ready',
      BACK_WITHIN,
    );
    const { status } = await apiClient().post('/account/login', { username: alice.username, password: alice.password });
    expect(status).toBe(200);
    const [a, b] = await Promise.all([XmppClient.connect(alice, LOGIN), XmppClient.connect(bob, LOGIN)]);
    await a.send(bob.jid, 'Still there?');
    await b.receivedBody('Still there?');
    const phone = await SipClient.open(alice);
    expect((await phone.register()).status).toBe(200);
    phone.close();
  });
});
