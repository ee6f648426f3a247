import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import axios from 'axios';
import { type Account, apiClient, uniqueName } from './api.js';
import type { Canaries } from './canaries.js';
import { sendRaw } from './canary-abuse.js';
import { waitsOffline, writeToVeil } from './databases.js';
import { ejabberd } from './ejabberd.js';
import { https } from './https.js';
import { platform } from './platform.js';
import { barrier, endCall } from './sip-call.js';
import { addressOf, audioDescription, SipClient } from './sip-client.js';
import type { SipResponse } from './sip-message.js';
import { TurnClient, type TurnCredentials } from './turn-client.js';
import { XmppClient } from './xmpp.js';
import { XmppComponent, XmppStream } from './xmpp-stream.js';

const { domain, host, ports } = platform;
const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** An account whose password, tokens and digests are canaries. */
export async function canaryAccount(canaries: Canaries, prefix: string): Promise<Account> {
  const [username, password] = [uniqueName(prefix), canaries.make('password')];
  canaries.learn('digest hash', md5(`${username}:${domain}:${password}`));
  canaries.learn('digest hash', md5(`${username}@${domain}:${domain}:${password}`));
  const { data } = await apiClient().post('/account/register', { username, password });
  canaries.learn('access token', data.token);
  canaries.learn('refresh token', data.refresh_token);
  return { username, password, jid: data.jid, token: data.token, api: apiClient(data.token) };
}

/** Two accounts chat, in private, in a group and to somebody who is away; and somebody gets it wrong. */
export async function chat(canaries: Canaries, alice: Account, bob: Account): Promise<void> {
  const [there, here] = [await XmppClient.connect(bob), await XmppClient.connect(alice)];
  // What comes before his presence would wait, and not arrive.
  await there.iq('get', '<ping xmlns="urn:xmpp:ping"/>', domain);
  const [toBob, toAll, later] = ['chat message', 'group message', 'offline message'].map((name) => canaries.make(name));
  await here.send(bob.jid, toBob!);
  await there.receivedBody(toBob!);
  const { data: group } = await alice.api.post('/groups', { name: 'Canaries', member_jids: [bob.jid] });
  await here.join(group.jid);
  await here.sendToRoom(group.jid, toAll!);
  await there.receivedBody(toAll!);
  await there.close();
  await here.send(bob.jid, later!);
  await waitsOffline(bob.username, later!);
  await here.publish('urn:xmpp:bookmarks:1', 'canary', `<x xmlns="x">${canaries.make('item')}</x>`);
  await here.sendStanza(`<message to="nobody@elsewhere.test"><body>${canaries.make('chat message')}</body></message>`);
  await here.sendStanza(`<message to="no@body@x"><body>${canaries.make('chat message')}</body></message>`);
  await here.sendStanza(`<iq type="set" id="x" to="${domain}"><query>${canaries.make('chat message')}</query></iq>`);
  await here.close();
  await wrongOnXmpp(canaries, alice);
}

async function wrongOnXmpp(canaries: Canaries, { jid, username, password }: Account): Promise<void> {
  await XmppClient.connect({ jid, password: canaries.make('wrong password') }).catch(() => undefined);
  const plain = await encrypted();
  plain.write(authenticatePlainly(`\0${username}\0${password}`));
  await plain.read(/<failure/);
  plain.close();
  const broken = await encrypted();
  broken.write(`<message><body>${canaries.make('chat message')}</wrong><${canaries.make('chat message')} `);
  await broken.read(/<\/stream:stream>/);
  broken.close();
  await XmppComponent.connect(`push.${domain}`, canaries.make('wrong password')).catch(() => undefined);
  const secret = (): string => canaries.make('misplaced secret');
  await https.get(`https://localhost:${ports.xmppHttps}/${secret()}?password=${secret()}`);
  await https.put(`https://localhost:${ports.xmppHttps}/upload/${secret()}/${secret()}/f.txt`, secret());
  await ejabberd('check_password', { user: username, host: domain, password, [secret()]: secret() });
  await ejabberd('set_password', { user: username, host: domain, password: secret() });
  await ejabberd('register', { user: 'not a name', host: domain, password: secret() });
  await ejabberd('change_password', { user: username, host: secret(), newpass: secret() });
  await ejabberd(secret(), { password: secret() });
  await sendRaw(ports.xmppApi, `POST /api/v0/register HTTP/1.1\r\nHost: ${domain}\r\n\r\n{"password":"${secret()}"`);
}

const authenticatePlainly = (text: string): string =>
  `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${Buffer.from(text).toString('base64')}</auth>`;

async function encrypted(): Promise<XmppStream> {
  const stream = XmppStream.connect();
  await stream.open();
  await stream.startTls();
  await stream.open();
  return stream;
}

/** Two accounts write to each other and call by SIP, with push tokens in their contacts and keys in their offers. */
export async function call(canaries: Canaries, alice: Account, bob: Account): Promise<void> {
  const [caller, callee] = [await SipClient.open(alice), await SipClient.open(bob, 'tcp')];
  for (const phone of [caller, callee]) {
    phone.contactParameters = pushParameters(canaries);
    await phone.register();
  }
  const sending = message(caller, callee.address, canaries.make('SIP message'));
  callee.reply(await callee.incoming('MESSAGE'), 200);
  await sending;
  await message(caller, addressOf(uniqueName('nobody')), canaries.make('SIP message'));
  const calling = caller.request('INVITE', callee.address, { body: offerWithKey(canaries) });
  const seenByCallee = await callee.incoming('INVITE');
  callee.reply(seenByCallee, 200, { body: offerWithKey(canaries) });
  const established = { ...(await calling), seenByCallee };
  caller.withinCall(established, 'ACK');
  await callee.incoming('ACK');
  await endCall(established, caller, callee);
  await withoutStorage(() => registerInVain(canaries, caller));
  await wrongOnSip(canaries, alice, caller);
  caller.close();
  callee.close();
}

/** The database lets Kamailio read passwords meanwhile, and write no registration. */
async function withoutStorage(work: () => Promise<void>): Promise<void> {
  await writeToVeil((sql) => sql`REVOKE INSERT, UPDATE ON kamailio.location FROM kamailio`);
  try {
    await work();
  } finally {
    await writeToVeil((sql) => sql`GRANT INSERT, UPDATE ON kamailio.location TO kamailio`);
  }
}

async function registerInVain(canaries: Canaries, phone: SipClient): Promise<void> {
  phone.contactParameters = pushParameters(canaries);
  await phone.register();
  await phone.register({ expires: 200 });
}

/** RFC 8599: the token by which the provider reaches the device. */
export const pushParameters = (canaries: Canaries): string =>
  `;pn-provider=apns;pn-param=ABCDE12345.com.example.veil.voip;pn-prid=${canaries.make('push token by SIP')}`;

const message = async (from: SipClient, to: string, body: string): Promise<SipResponse> =>
  (await from.request('MESSAGE', to, { body, contentType: 'text/plain' })).final;

export const offerWithKey = (canaries: Canaries): string =>
  `${audioDescription()}a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${canaries.make('media key')}abcd12345678\r\n` +
  `a=ice-pwd:${canaries.make('ICE password')}\r\na=x-${canaries.make('media key')}\r\n`;

async function wrongOnSip(canaries: Canaries, { username }: Account, phone: SipClient): Promise<void> {
  const stranger = await SipClient.open({ username, password: canaries.make('wrong password') });
  await stranger.register();
  stranger.close();
  const secret = (): string => canaries.make('secret in a broken SIP message');
  const via = `Via: SIP/2.0/UDP 127.0.0.1:9;branch=z9hG4bK${uniqueName()}`;
  const head = `${via}\r\nFrom: <${phone.address}>;tag=1\r\nTo: <${phone.address}>\r\nCall-ID: ${uniqueName()}\r\n`;
  const broken = [
    `MESSAGE sip:${domain} SIP/2.0\r\n${head}CSeq: x MESSAGE\r\nAuthorization: ${secret()}\r\n\r\n${secret()}`,
    `MESSAGE sip:${domain} SIP/2.0\r\n${head}CSeq: 1 INVITE\r\nContent-Length: 9999\r\n\r\n${secret()}`,
    `MESSAGE sip:${domain} SIP/2.0\r\n${secret()}\r\n\r\n${secret()}`,
    `MESSAGE ${secret()} SIP/2.0\r\n${head}CSeq: 1 MESSAGE\r\nContent-Length: 0\r\n\r\n`,
    `REGISTER sip:${domain} SIP/2.0\r\n${head}CSeq: 1 REGISTER\r\nContact: <sip:a@b;pn-prid=${secret()}\r\n\r\n`,
    `REGISTER sip:${domain} SIP/2.0\r\n${head}CSeq: 1 REGISTER\r\nAuthorization: Digest username="${secret()}\r\n\r\n`,
    `SIP/2.0 200 OK\r\n${head}CSeq: 1 MESSAGE\r\nContact: <${secret()}\r\n\r\n${secret()}`,
    `${secret()} ${secret()}\r\n\r\n`,
  ];
  for (const text of broken) await sendDatagram(ports.sip, text);
  for (const text of broken) await sendRaw(ports.sip, text);
  const challenge = await phone.final(phone.send('REGISTER', `sip:${domain}`));
  for (const contact of [
    `<sip:a@b:c:d;pn-prid=${secret()}`,
    `"${secret()}`,
    `<sip:a@b;pn-prid=${'x'.repeat(600)}${secret()}>`,
  ]) {
    const authorization = phone.answer(challenge, 'REGISTER', `sip:${domain}`);
    await phone.final(
      phone.send('REGISTER', `sip:${domain}`, { headers: [['Contact', contact], authorization], callId: uniqueName() }),
    );
  }
  await axios.post(`http://127.0.0.1:${ports.sipRpc}/RPC?token=${secret()}`, secret(), {
    headers: { authorization: `Bearer ${secret()}` },
    validateStatus: () => true,
    proxy: false,
  });
  await https.get(`https://localhost:${ports.sipWss}/?token=${secret()}`, { headers: { cookie: secret() } });
  await barrier(phone);
}

/** Sends one datagram, and resolves when it is on its way. */
async function sendDatagram(port: number, text: string): Promise<void> {
  const socket = createSocket('udp4');
  await new Promise<void>((resolve, reject) => {
    socket.send(text, port, host, (error) => (error ? reject(error) : resolve()));
  });
  socket.close();
}

/** Somebody relays with credentials of the API, and somebody with a wrong password. */
export async function relay(canaries: Canaries, { api }: Account): Promise<void> {
  const { data } = await api.get('/turn/credentials');
  canaries.learn('TURN password', data.password);
  const login: TurnCredentials = { username: data.username, password: data.password };
  for (const uri of data.uris as string[]) {
    const client = await TurnClient.connect(uri, login);
    await client.allocate();
    await client.release();
    client.close();
  }
  const stranger = await TurnClient.connect(data.uris[0], { ...login, password: canaries.make('wrong password') });
  await stranger.allocate().catch(() => undefined);
  stranger.close();
}
