/**
 * A name has another owner now. What those who knew the old one keep, send and ask for does not reach the new one, until
 * both agree anew.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, apiClient, registerAccount } from '../support/api.js';
import { findInDatabases, waitsOffline } from '../support/databases.js';
import { veil } from '../support/host.js';
import { platform } from '../support/platform.js';
import { addressOf, audioDescription, SipClient } from '../support/sip-client.js';
import { until } from '../support/wait.js';
import { bodyOf, closeXmppClients, connectAll, XmppClient } from '../support/xmpp.js';

const ROSTER = '<query xmlns="jabber:iq:roster"/>';
const PUBSUB = 'http://jabber.org/protocol/pubsub';
const SERVICE = `pubsub.${platform.domain}`;
const mark = `mark${randomBytes(8).toString('hex')}`;

let gone: Account;
let heir: Account;
/** A contact, somebody who had asked to be one, and somebody who had been asked. */
let friend: Account;
let suitor: Account;
let wooed: Account;
let streams: Record<'friend' | 'suitor' | 'wooed', XmppClient>;
let ofHeir: XmppClient;
let turnOfGone: string;

beforeAll(async () => {
  [gone, friend, suitor, wooed] = await Promise.all([
    registerAccount('gone'),
    registerAccount('friend'),
    registerAccount('suitor'),
    registerAccount('wooed'),
  ]);
  turnOfGone = (await gone.api.get('/turn/credentials')).data.username;
  const [ofFriend, ofSuitor] = await connectAll(friend, suitor);
  await liveAmong(ofFriend, ofSuitor);
  await gone.api.delete('/account', { data: { jid: gone.jid, password: gone.password } });
  // Nobody has the name now.
  await ofFriend.send(gone.jid, `Between ${mark}`);
  await ofFriend.received('its message back', ({ type, body }) => type === 'error' && body === `Between ${mark}`);
  heir = await takeOver(gone.username);
  ofHeir = await XmppClient.connect(heir, { resource: 'heir' });
  streams = { friend: ofFriend, suitor: ofSuitor, wooed: await XmppClient.connect(wooed) };
  await caughtUp();
});

afterAll(closeXmppClients);

describe('the new owner of a name', () => {
  it('gets none of the messages that were for the old one', async () => {
    await streams.friend.send(heir.jid, `After ${mark}`);
    await ofHeir.receivedBody(`After ${mark}`);
    expect(ofHeir.messages.map(bodyOf)).toEqual([`After ${mark}`]);
    expect((await ofHeir.archive()).map(bodyOf)).toEqual([`After ${mark}`]);
  });

  it('is no contact of those who had the old one, and sees nobody come and go', async () => {
    const ofOthers = ofHeir.presences.filter(({ from }) => !from?.startsWith(heir.jid));
    expect(ofOthers).toEqual([]);
    expect(await ofHeir.contacts()).toEqual([]);
    for (const stream of Object.values(streams)) {
      expect(stream.presences.filter(({ from }) => from === ofHeir.jid)).toEqual([]);
    }
  });

  it('is in their lists by name only: requests that were open are withdrawn', async () => {
    for (const name of ['friend', 'suitor'] as const) {
      const roster = await streams[name].iq('get', ROSTER);
      expect(roster).toMatch(
        new RegExp(`jid="${heir.jid}"[^>]* subscription="none"|subscription="none"[^>]* jid="${heir.jid}"`),
      );
      expect(roster).not.toContain('ask=');
    }
    expect(await streams.wooed.contacts()).toEqual([]);
  });

  it('has nothing published in the name of the old one', async () => {
    const items = await streams.friend.iq('get', `<pubsub xmlns="${PUBSUB}"><items node="${mark}"/></pubsub>`, SERVICE);
    expect(items).not.toContain('<ns0:item ');
    expect(items).not.toContain(`by ${mark}`);
  });

  it('is called on the own phone only, and has relay credentials of its own', async () => {
    const [caller, phone] = await Promise.all([SipClient.open(friend), SipClient.open(heir)]);
    const offer = { body: audioDescription(), contentType: 'application/sdp' };
    const { final } = await caller.request('INVITE', addressOf(heir.username), offer);
    expect(final.status).toBe(480);
    expect((await phone.register()).status).toBe(200);
    const contacts = (await findInDatabases(heir.username)).filter(({ table }) => table === 'location');
    expect(contacts).toHaveLength(1);
    const [, ofOld] = turnOfGone.split(':');
    expect((await heir.api.get('/turn/credentials')).data.username).not.toContain(ofOld);
    for (const client of [caller, phone]) client.close();
  });
});

/** Contacts, a request in either direction, something published at somebody else's node, and a message that waits. */
async function liveAmong(ofFriend: XmppClient, ofSuitor: XmppClient): Promise<void> {
  const own = await XmppClient.connect(gone);
  await own.addContact(friend.jid, 'Friend');
  await own.presence(friend.jid, 'subscribe');
  await until('they are contacts', async () => (await own.contacts())[0]?.subscription === 'both');
  // Nobody is there to say yes.
  await own.presence(wooed.jid, 'subscribe');
  await publishAt(ofFriend, own);
  await own.close();
  await ofSuitor.presence(gone.jid, 'subscribe');
  await until('he has asked', async () => (await ofSuitor.iq('get', ROSTER))?.includes('ask="subscribe"'));
  await ofFriend.send(gone.jid, `Before ${mark}`);
  await waitsOffline(gone.username, `Before ${mark}`);
}

async function publishAt(owner: XmppClient, publisher: XmppClient): Promise<void> {
  const field = (name: string, value: string) => `<field var="${name}"><value>${value}</value></field>`;
  const type = field('FORM_TYPE', `${PUBSUB}#node_config`);
  const form = `<x xmlns="jabber:x:data" type="submit">${type}${field('pubsub#publish_model', 'open')}</x>`;
  const create = `<pubsub xmlns="${PUBSUB}"><create node="${mark}"/><configure>${form}</configure></pubsub>`;
  await owner.iq('set', create, SERVICE);
  const item = `<item id="1"><note xmlns="urn:note">by ${mark}</note></item>`;
  await publisher.iq('set', `<pubsub xmlns="${PUBSUB}"><publish node="${mark}">${item}</publish></pubsub>`, SERVICE);
}

async function takeOver(username: string): Promise<Account> {
  await veil('name', 'free', username);
  const password = `Pw-${randomBytes(9).toString('base64url')}`;
  const { data } = await apiClient().post('/account/register', { username, password });
  return { username, password, jid: data.jid, token: data.token, api: apiClient(data.token) };
}

/** Returns when whatever the server had to tell any of them has arrived. */
async function caughtUp(): Promise<void> {
  for (const stream of [ofHeir, ...Object.values(streams)]) await stream.features(platform.domain);
}
