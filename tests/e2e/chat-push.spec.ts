/**
 * A sleeping device is woken for chat: ejabberd publishes to the push service, which is the API, and that tells the
 * device's provider (XEP-0357). No restart of anything ends a push session, and a device that is gone ends it.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { FakeApns } from '@veil/api/dist/testing/push/fake-apns.js';
import { FakeFcm, fcmError } from '@veil/api/dist/testing/push/fake-fcm.js';
import { type Account, registerAccount } from '../support/api.js';
import {
  type Device,
  fallAsleep,
  PUSH_SERVICE,
  pushSessionEnds,
  pushSessions,
  registerDevice,
  sleepingDevice,
} from '../support/chat-push.js';
import { startServer, stopServer } from '../support/host.js';
import { OwnApi } from '../support/own-api.js';
import { platform } from '../support/platform.js';
import { until } from '../support/wait.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';

const PUBLISHED = 'veil_chat_pushes_total';

let apns: FakeApns;
let fcm: FakeFcm;
let api: OwnApi;
let alice: Account;

/** In the place of the platform's own, so that every push comes here. */
const startApi = () => OwnApi.start({ API_PORT: String(platform.ports.api), ...apns.environment, ...fcm.environment });

beforeAll(async () => {
  [apns, fcm] = await Promise.all([FakeApns.start(), FakeFcm.start()]);
  await stopServer('api');
  api = await startApi();
  alice = await registerAccount('alice');
});

afterAll(async () => {
  await closeXmppClients();
  await api.stop();
  await Promise.all([apns.stop(), fcm.stop()]);
  await startServer('api');
});

/** As many publications have come to this process. */
const published = (count: number) =>
  until(`${count} publications have come`, async () => (await api.metric(PUBLISHED)) >= count);

/** What APNs has taken for a device. */
const pushesTo = ({ alertToken }: Device) => apns.accepted.filter(({ token }) => token === alertToken);

const pushed = (device: Device) => until('APNs has the push', () => pushesTo(device)[0]);

describe('registering a device', () => {
  it('tells where the chat server pushes to it: the same for as long as it is registered', async () => {
    const bob = await registerAccount('bob');
    const first = await registerDevice(bob);
    expect(first).toMatchObject({ jid: PUSH_SERVICE, node: expect.any(String), secret: expect.any(String) });
    const { node, secret } = first;
    expect(await registerDevice(bob)).toMatchObject({ node, secret });
    const tablet = await registerDevice(bob, 'tablet');
    expect([tablet.node, tablet.secret]).not.toContain(first.node);
    await bob.api.delete('/push/register', { data: { jid: bob.jid, device_id: 'phone' } });
    const again = await registerDevice(bob);
    expect(again.node).not.toBe(first.node);
    expect(again.secret).not.toBe(first.secret);
  });
});

describe('the push service', () => {
  it('says what it is', async () => {
    const client = await XmppClient.connect(alice);
    expect(await client.features(PUSH_SERVICE)).toEqual(
      expect.arrayContaining(['urn:xmpp:push:0', 'http://jabber.org/protocol/disco#info']),
    );
  });

  it('takes publications from the chat server alone', async () => {
    const { node } = await registerDevice(alice);
    const client = await XmppClient.connect(alice);
    const notification = '<item><notification xmlns="urn:xmpp:push:0"/></item>';
    const publish = `<pubsub xmlns="http://jabber.org/protocol/pubsub"><publish node="${node}">${notification}</publish></pubsub>`;
    await expect(client.iq('set', publish, PUSH_SERVICE)).rejects.toThrow(/forbidden/);
    await expect(client.iq('get', '<query xmlns="jabber:iq:version"/>', PUSH_SERVICE)).rejects.toThrow(
      /service-unavailable/,
    );
  });
});

describe('somebody who sends too much', () => {
  const HUGE = 'x'.repeat(100_000);

  it('to the push service is refused, and disturbs nobody', async () => {
    const client = await XmppClient.connect(alice);
    await expect(client.iq('get', `<query xmlns="urn:huge">${HUGE}</query>`, PUSH_SERVICE)).rejects.toThrow(
      /not-acceptable/,
    );
    await client.sendStanza(`<message to="${PUSH_SERVICE}"><body>${HUGE}</body></message>`);
    await client.iq('get', '<ping xmlns="urn:xmpp:ping"/>', PUSH_SERVICE);
    expect(api.log).not.toContain('component listener');
  });

  it('with each push of his is pushed to no more, and disturbs nobody', async () => {
    const bob = await registerAccount('bob');
    const push = await registerDevice(bob);
    await fallAsleep(bob, { ...push, secret: HUGE });
    await (await XmppClient.connect(alice)).send(bob.jid, 'Are you there?');
    await pushSessionEnds(bob, push);
    expect(api.log).not.toContain('component listener');
  });
});

describe('a device that sleeps', () => {
  it('is woken for a message, and told neither text nor sender', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    await (await XmppClient.connect(alice)).send(bob.jid, 'The treasure is buried at the old oak');
    const push = await pushed(phone);
    expect(push).toMatchObject({ pushType: 'alert', priority: 10, payload: { type: 'message' } });
    for (const hidden of ['treasure', alice.username, bob.username, phone.node, phone.secret]) {
      expect(JSON.stringify(push)).not.toContain(hidden);
    }
    expect(await pushSessions(bob)).toEqual([phone.node]);
  });

  it('is woken for a message to a group, and not told which', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    const group = (await alice.api.post('/groups', { name: 'Crew', member_jids: [bob.jid] })).data;
    const client = await XmppClient.connect(alice);
    await client.join(group.jid);
    await client.sendToRoom(group.jid, 'All hands on deck');
    const push = JSON.stringify(await pushed(phone));
    for (const hidden of ['deck', 'Crew', alice.username, group.group_id]) expect(push).not.toContain(hidden);
  });

  it('is woken later for what can wait', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    const propose = '<propose xmlns="urn:xmpp:jingle-message:0" id="call-1"/><store xmlns="urn:xmpp:hints"/>';
    await (await XmppClient.connect(alice)).sendStanza(`<message type="chat" to="${bob.jid}">${propose}</message>`);
    expect(await pushed(phone)).toMatchObject({ pushType: 'background', priority: 5, payload: { type: 'message' } });
  });

  it('is woken once by a flood', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    const before = await api.metric(PUBLISHED);
    const client = await XmppClient.connect(alice);
    for (let number = 1; number <= 20; number += 1) await client.send(bob.jid, `Message ${number}`);
    await published(before + 20);
    expect(pushesTo(phone)).toHaveLength(1);
  });

  it('keeps its push session while its provider is away, and is woken when that is back', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    await apns.down();
    await (await XmppClient.connect(alice)).send(bob.jid, 'Are you there?');
    await until('APNs was asked in vain', () =>
      api.metric('veil_neighbour_failures_total', 'neighbour="apns"').then((failures) => failures > 0),
    );
    expect(await pushSessions(bob)).toEqual([phone.node]);
    await apns.up();
    await pushed(phone);
    expect(await pushSessions(bob)).toEqual([phone.node]);
  });

  it('keeps its push session when its provider refuses the push, not the token', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    apns.script.once({ status: 403, body: { reason: 'TopicDisallowed' } });
    const rejected = () => api.metric(PUBLISHED, 'outcome="rejected"');
    const before = await rejected();
    const client = await XmppClient.connect(alice);
    await client.send(bob.jid, 'Are you there?');
    await until('the push is refused', async () => (await rejected()) > before);
    // The answer has gone its way through the chat server once that has answered what was asked after it.
    await client.features(PUSH_SERVICE);
    expect(await pushSessions(bob)).toEqual([phone.node]);
  });

  it.each([
    ['a wrong secret', (push: { node: string; secret: string }) => ({ ...push, secret: `${push.secret}x` })],
    ['a node of nobody', (push: { node: string; secret: string }) => ({ ...push, node: `${push.node}x` })],
  ])('is not woken with %s, and the push session ends', async (_, broken) => {
    const bob = await registerAccount('bob');
    const push = broken(await registerDevice(bob));
    await fallAsleep(bob, { jid: PUSH_SERVICE, ...push });
    const refused = await api.metric(PUBLISHED, 'outcome="wrong_secret"');
    await (await XmppClient.connect(alice)).send(bob.jid, 'Are you there?');
    await pushSessionEnds(bob, push);
    expect(await api.metric(PUBLISHED, 'outcome="wrong_secret"')).toBe(refused + 1);
  });
});

describe('a device that is gone', () => {
  it.each([
    [
      'APNs',
      undefined,
      () => apns.script.once({ status: 410, body: { reason: 'Unregistered', timestamp: Date.now() } }),
    ],
    [
      'FCM',
      { platform: 'android', push_token: 'token-of-fcm' },
      () => fcm.script.once(fcmError(404, 'NOT_FOUND', 'UNREGISTERED')),
    ],
  ])('is pushed to no more once %s calls its token dead', async (_, registration, die) => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob, 'phone', registration);
    die();
    await (await XmppClient.connect(alice)).send(bob.jid, 'Are you there?');
    await pushSessionEnds(bob, phone);
  });

  it('is pushed to no more once it is deregistered', async () => {
    const bob = await registerAccount('bob');
    const [phone, tablet] = [await sleepingDevice(bob), await sleepingDevice(bob, 'tablet')];
    await bob.api.delete('/push/register', { data: { jid: bob.jid, device_id: 'phone' } });
    await pushSessionEnds(bob, phone);
    expect(await pushSessions(bob)).toEqual([tablet.node]);
  });

  it('is pushed to no more once its session has ended', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    expect((await bob.api.post('/account/logout')).status).toBeLessThan(300);
    await pushSessionEnds(bob, phone);
  });
});

describe('while no API runs', () => {
  it.each([
    ['was stopped', () => api.stop()],
    ['was killed', () => api.kill()],
  ])('after it %s, what comes waits, and no push session is lost', async (_, end) => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    const writer = await XmppClient.connect(alice);
    await end();
    for (const text of ['Hello', 'Are you there?', 'Hello?']) await writer.send(bob.jid, text);
    await writer.features(platform.domain);
    api = await startApi();
    // The three say the same: it is told once.
    await pushed(phone);
    expect(await api.metric(PUBLISHED)).toBe(1);
    expect(await pushSessions(bob)).toEqual([phone.node]);
    await writer.send(bob.jid, 'There you are');
    await published(2);
    expect(await pushSessions(bob)).toEqual([phone.node]);
  });

  it('takes up the push sessions of a chat server that was restarted', async () => {
    const bob = await registerAccount('bob');
    const phone = await sleepingDevice(bob);
    await closeXmppClients();
    await stopServer('ejabberd');
    await startServer('ejabberd');
    await (await XmppClient.connect(alice)).send(bob.jid, 'Back again');
    await pushed(phone);
    expect(await pushSessions(bob)).toEqual([phone.node]);
  });
});

describe('with two API processes', () => {
  it('the one that is left takes the pushes of both', async () => {
    const second = await OwnApi.start({});
    try {
      await until('both are connected', async () => (await second.metric('veil_xmpp_component_connected')) === 1);
      const [bob, carol] = await Promise.all([registerAccount('bob'), registerAccount('carol')]);
      const phones = [await sleepingDevice(bob), await sleepingDevice(carol)];
      const writer = await XmppClient.connect(alice);
      await api.kill();
      for (const { jid } of [bob, carol]) await writer.send(jid, 'Are you there?');
      await until('both were told', async () => (await second.metric(PUBLISHED)) === 2);
      expect([...(await pushSessions(bob)), ...(await pushSessions(carol))]).toEqual(phones.map(({ node }) => node));
    } finally {
      api = await startApi();
      await second.stop();
    }
  });
});
