import { type Account, uniqueName } from './api.js';
import { offerWithKey, pushParameters } from './canary-life.js';
import type { Surroundings } from './canary-walk.js';
import { ejabberd } from './ejabberd.js';
import { platform } from './platform.js';
import { SipClient } from './sip-client.js';
import { XmppClient } from './xmpp.js';

/** Two accounts with their clients, which were there before the outage. */
export interface Clients {
  account: Account;
  other: Account;
  stream: XmppClient;
  phone: SipClient;
  otherPhone: SipClient;
}

export async function clientsOf(account: Account, other: Account): Promise<Clients> {
  const stream = await XmppClient.connect(account);
  const [phone, otherPhone] = [await SipClient.open(account), await SipClient.open(other)];
  for (const each of [phone, otherPhone]) await each.register();
  return { account, other, stream, phone, otherPhone };
}

export async function closeClients({ stream, phone, otherPhone }: Clients): Promise<void> {
  phone.close();
  otherPhone.close();
  await stream.close().catch(() => undefined);
}

/**
 * What people do with secrets and messages, while a server is away: most of it fails, as it is meant to. Resolves when the
 * API has answered; what waits for the server to come back is returned.
 */
export async function carryOn(around: Surroundings, clients: Clients): Promise<{ pending: Promise<unknown> }> {
  const later = [...byXmpp(around, clients), ...byAdminApi(around, clients), ...bySip(around, clients)];
  const pending = Promise.allSettled(later);
  await Promise.allSettled(overHttp(around, clients));
  return { pending };
}

function byXmpp({ canaries }: Surroundings, { stream, other }: Clients): Promise<unknown>[] {
  return [
    stream.send(other.jid, canaries.make('message during an outage')),
    stream.publish('urn:xmpp:bookmarks:1', 'canary', `<x xmlns="x">${canaries.make('item')}</x>`),
    XmppClient.connect(other, { resource: uniqueName(), available: false }).then((client) => client.close()),
  ];
}

function overHttp({ api, canaries, google, invite }: Surroundings, { account }: Clients): Promise<unknown>[] {
  const { username, password, jid, token } = account;
  const [anybody, own] = [api.client(), api.client(token)];
  const secret = (): string => canaries.make('secret during an outage');
  const idToken = canaries.learn('Google ID token', google.token(uniqueName('sub')));
  const device = { jid, device_id: 'phone', platform: 'ios', app_id: 'com.example.veil' };
  return [
    anybody.post('/account/register', { username: uniqueName(), password: secret(), invite_code: invite }),
    anybody.post('/account/login', { username, password }),
    anybody.post('/account/login', { username, password: secret() }),
    anybody.post('/account/google', { id_token: idToken, invite_code: invite }),
    anybody.post('/account/refresh', { refresh_token: secret() }),
    anybody.post('/account/password/reset', { code: secret(), new_password: secret() }),
    own.put('/account/password', { password: secret(), new_password: secret() }),
    own.put('/account/email', { password, email: `${uniqueName()}@mail.test` }),
    own.post('/account/email/verify', { code: secret() }),
    own.post('/push/register', { ...device, push_token: canaries.make('push token') }),
    own.delete('/account', { data: { jid, password: secret() } }),
    own.get('/turn/credentials').then(({ data }) => data.password && canaries.learn('TURN password', data.password)),
  ];
}

/** What the API says to ejabberd, when only the database behind it has gone. */
function byAdminApi({ canaries }: Surroundings, { other: { username: user, password } }: Clients): Promise<unknown>[] {
  const secret = (): string => canaries.make('secret during an outage');
  const host = platform.domain;
  return [
    ejabberd('register', { user: uniqueName(), host, password: secret() }),
    ejabberd('check_password', { user, host, password }),
    ejabberd('check_password', { user, host, password: secret() }),
    ejabberd('verify_password', { user, host, password }),
    ejabberd('change_password', { user: uniqueName(), host, newpass: secret() }),
  ];
}

function bySip({ canaries }: Surroundings, { phone, otherPhone }: Clients): Promise<unknown>[] {
  phone.contactParameters = pushParameters(canaries);
  const body = canaries.make('SIP message');
  return [
    phone.register(),
    phone.request('MESSAGE', otherPhone.address, { body, contentType: 'text/plain' }),
    phone.request('INVITE', otherPhone.address, { body: offerWithKey(canaries) }),
    otherPhone.incoming('MESSAGE').then((message) => otherPhone.reply(message, 200)),
    otherPhone.incoming('INVITE').then((invite) => otherPhone.reply(invite, 486)),
  ];
}
