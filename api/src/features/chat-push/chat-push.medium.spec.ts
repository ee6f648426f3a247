import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import xml, { type Element } from '@xmpp/xml';
import type { IqAnswer, StanzaError } from '../../clients/xmpp-component/stanzas.js';
import { TestApp } from '../../testing/app.js';
import { until } from '../../testing/until.js';
import type { PushNotification, PushResult } from '../push/push-notification.js';
import { PushSender } from '../push/push-sender.js';
import { ChatPush } from './chat-push.service.js';

const DOMAIN = 'veil.test';
const PUBSUB = 'http://jabber.org/protocol/pubsub';

interface XmppPush {
  node: string;
  secret: string;
}

const form = (fields: Record<string, string>): Element =>
  xml(
    'x',
    { xmlns: 'jabber:x:data', type: 'submit' },
    ...Object.entries(fields).map(([name, value]) => xml('field', { var: name }, xml('value', {}, value))),
  );

/** As ejabberd does. */
const publication = ({ node, secret }: XmppPush, summary: Record<string, string> | null = {}): Element =>
  xml(
    'pubsub',
    { xmlns: PUBSUB },
    xml(
      'publish',
      { node },
      xml('item', {}, xml('notification', { xmlns: 'urn:xmpp:push:0' }, ...(summary ? [form(summary)] : []))),
    ),
    xml('publish-options', {}, form({ secret })),
  );

describe('the push service', () => {
  let app: TestApp;
  let account: Awaited<ReturnType<TestApp['register']>>;
  let sent: { notification: PushNotification; to: readonly string[] | undefined }[];
  let result: PushResult | Error;
  beforeAll(async () => {
    app = await TestApp.start();
    account = await app.register();
    app.app.get(PushSender).send = async (_, notification, to) => {
      sent.push({ notification, to });
      if (result instanceof Error) throw result;
      return [{ deviceId: to?.[0] ?? '', provider: 'apns', result, detail: '', at: new Date() }];
    };
  });
  beforeEach(() => {
    sent = [];
    result = 'accepted';
  });
  afterAll(() => app.stop());

  let devices = 0;
  async function register(): Promise<XmppPush & { deviceId: string }> {
    devices += 1;
    const deviceId = `phone-${devices}`;
    const device = { device_id: deviceId, platform: 'ios', push_token: 'secret-token', app_id: 'app' };
    const answer = await app.http
      .post('/api/v1/push/register')
      .set(account.bearer)
      .send({ ...device, jid: account.jid });
    return { ...answer.body.xmpp_push, deviceId };
  }
  const deregister = (deviceId: string) =>
    app.http.delete('/api/v1/push/register').set(account.bearer).send({ jid: account.jid, device_id: deviceId });

  const ask = (payload: Element, from = DOMAIN, type: 'get' | 'set' = 'set'): Promise<IqAnswer> =>
    app.xmppComponent.ask(from, type, payload);
  const error = (type: StanzaError['type'], condition: StanzaError['condition']) => ({ error: { type, condition } });

  it('wakes the device of the node, for text at once and for the rest when it suits', async () => {
    const [phone, tablet] = [await register(), await register()];
    expect(await ask(publication(phone, { 'last-message-body': 'New message' }))).toEqual({});
    expect(await ask(publication(tablet, null))).toEqual({});
    expect(sent).toEqual([
      { notification: { kind: 'message', urgent: true }, to: [phone.deviceId] },
      { notification: { kind: 'message', urgent: false }, to: [tablet.deviceId] },
    ]);
  });

  it.each([
    ['unregistered', error('cancel', 'item-not-found')],
    ['failed', error('wait', 'recipient-unavailable')],
    ['rejected', error('wait', 'recipient-unavailable')],
    ['not_configured', error('wait', 'recipient-unavailable')],
  ] as const)('answers for a push that is %s', async (outcome, answer) => {
    result = outcome;
    expect(await ask(publication(await register()))).toEqual(answer);
  });

  it('ends the push session of a device that is gone', async () => {
    const phone = await register();
    await deregister(phone.deviceId);
    expect(await ask(publication(phone))).toEqual(error('cancel', 'item-not-found'));
    expect(sent).toEqual([]);
  });

  it('is opened by the secret of the node alone', async () => {
    const [phone, tablet] = [await register(), await register()];
    for (const secret of ['', 'x', tablet.secret, `${phone.secret}AA`, phone.secret.slice(0, -4)]) {
      expect(await ask(publication({ ...phone, secret }))).toEqual(error('auth', 'forbidden'));
    }
    expect(sent).toEqual([]);
  });

  it('takes publications from the chat server alone', async () => {
    const phone = await register();
    for (const from of [account.jid, `${account.jid}/phone`, `muc.${DOMAIN}`, `${DOMAIN}/x`, 'other.test']) {
      expect(await ask(publication(phone), from)).toEqual(error('auth', 'forbidden'));
    }
    expect(sent).toEqual([]);
  });

  it.each([
    ['nothing', xml('pubsub', { xmlns: PUBSUB })],
    ['no notification', xml('pubsub', { xmlns: PUBSUB }, xml('publish', { node: 'x' }, xml('item')))],
    [
      'no node',
      xml('pubsub', { xmlns: PUBSUB }, xml('publish', {}, xml('item', {}, xml('notification', 'urn:xmpp:push:0')))),
    ],
  ])('refuses to publish %s', async (_, payload) => {
    expect(await ask(payload)).toEqual(error('modify', 'bad-request'));
  });

  it('says what it is, that it is there, and no to all else', async () => {
    const query = (name: string) => xml('query', { xmlns: `http://jabber.org/protocol/disco#${name}` });
    const info = await ask(query('info'), account.jid, 'get');
    expect('result' in info && info.result?.toString()).toContain('<identity category="pubsub" type="push"');
    expect('result' in info && info.result?.toString()).toContain('<feature var="urn:xmpp:push:0"/>');
    expect(await ask(query('items'), account.jid, 'get')).toEqual({ result: expect.anything() });
    expect(await ask(xml('ping', { xmlns: 'urn:xmpp:ping' }), account.jid, 'get')).toEqual({});
    for (const payload of [query('info'), xml('query', { xmlns: 'jabber:iq:register' })]) {
      expect(await ask(payload, account.jid)).toEqual(error('cancel', 'service-unavailable'));
    }
  });

  it('tells the chat server once of devices that are gone, when it is there', async () => {
    const push = app.app.get(ChatPush);
    await push.endSessions(100);
    app.xmppComponent.messages.length = 0;
    app.xmppComponent.down = true;
    const phone = await register();
    await deregister(phone.deviceId);
    await push.endSessions(100);
    app.xmppComponent.down = false;
    await push.endSessions(100);
    await push.endSessions(100);
    // The application's own reaper may have come first.
    await until(() => app.xmppComponent.messages.length > 0);
    const affiliation = `<affiliation jid="${account.jid}" affiliation="none"/>`;
    expect(app.xmppComponent.messages).toEqual([
      { to: account.jid, payload: `<pubsub xmlns="${PUBSUB}" node="${phone.node}">${affiliation}</pubsub>` },
    ]);
  });

  it('keeps a device’s token and the secret of its node to itself', async () => {
    const { secret } = await register();
    const rows = await app.database.sql`SELECT n::text AS row FROM push_nodes n`;
    expect(JSON.stringify(rows)).not.toContain(secret);
  });

  it('leaves it to the next push what becomes of a device when a server is away', async () => {
    result = new Error('the database is away');
    await expect(ask(publication(await register()))).rejects.toThrow('away');
  });
});
