/**
 * The chat server's side of pushes: the component listener on which the API receives what ejabberd has to push (XEP-0114,
 * XEP-0357), how little it is told, and which of its answers end a push session.
 */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Account, registerAccount } from '../support/api.js';
import { pushSessionEnds } from '../support/chat-push.js';
import { startServer, stopServer } from '../support/host.js';
import { platform, secret } from '../support/platform.js';
import { closeXmppClients, XmppClient } from '../support/xmpp.js';
import { XmppComponent } from '../support/xmpp-stream.js';

const SERVICE = `push.${platform.domain}`;

let alice: Account;
let bob: Account;
let group: { group_id: string; jid: string };

// The API is the push service: while it is away, a component of our own takes its place and sees what comes.
beforeAll(async () => {
  [alice, bob] = await Promise.all([registerAccount('alice'), registerAccount('bob')]);
  group = (await alice.api.post('/groups', { name: 'Crew', member_jids: [bob.jid] })).data;
  await stopServer('api');
});

afterAll(async () => {
  await closeXmppClients();
  await startServer('api');
});

describe('the component listener', () => {
  it('takes the push service, by its secret', async () => {
    const component = await XmppComponent.connect(SERVICE, secret('xmpp_component_secret'));
    component.close();
  });

  it('refuses a wrong secret, and any other name', async () => {
    await expect(XmppComponent.connect(SERVICE, 'wrong')).rejects.toThrow(/not-authorized/);
    for (const name of [platform.domain, `muc.${platform.domain}`, `other.${platform.domain}`]) {
      await expect(XmppComponent.connect(name, secret('xmpp_component_secret'))).rejects.toThrow(
        /handshake was refused/,
      );
    }
  });
});

describe('a push', () => {
  let component: XmppComponent;
  const node = `device-${randomBytes(6).toString('hex')}`;
  const key = randomBytes(12).toString('hex');

  beforeAll(async () => {
    component = await XmppComponent.connect(SERVICE, secret('xmpp_component_secret'));
    const phone = await XmppClient.connect(bob);
    await phone.enablePush(node, key);
    await phone.close();
  });

  afterAll(() => component.close());

  /** The next publication to our node, answered as XEP-0357 wants it, or as the test does. */
  async function nextPush(answer = (attributes: string) => `<iq type='result' ${attributes}/>`): Promise<string> {
    const [push] = await component.read(new RegExp(`<iq(?:(?!</iq>).)*<publish node='${node}'.*?</iq>`, 's'));
    const id = /id='([^']+)'/.exec(push)![1];
    component.write(answer(`id='${id}' from='${SERVICE}' to='${platform.domain}'`));
    return push;
  }

  /** It names the device and proves itself, and tells neither who wrote nor what. */
  function expectDiscreet(push: string, ...hidden: string[]): void {
    expect(push).toMatch(new RegExp(`^<iq[^>]* from='${platform.domain}'`));
    expect(push).toContain(`<field var='secret'><value>${key}</value>`);
    for (const text of hidden) expect(push).not.toContain(text);
    expect(push).not.toContain('last-message-sender');
  }

  it('is sent for a message to somebody who is away, and tells neither sender nor text', async () => {
    const a = await XmppClient.connect(alice);
    await a.send(bob.jid, 'The treasure is buried at the old oak');
    const push = await nextPush();
    expectDiscreet(push, alice.username, 'treasure');
    // Without the fixed text it would not count as a message, and the phone would be woken late or not at all.
    expect(push).toMatch(/<field[^>]*var='last-message-body'[^>]*><value>New message<\/value>/);
  });

  it('is sent for an encrypted message', async () => {
    const a = await XmppClient.connect(alice);
    const encrypted = '<encrypted xmlns="urn:xmpp:omemo:2"><payload>c2VjcmV0</payload></encrypted>';
    await a.sendStanza(`<message type="chat" to="${bob.jid}">${encrypted}<store xmlns="urn:xmpp:hints"/></message>`);
    const push = await nextPush();
    expectDiscreet(push, alice.username, 'c2VjcmV0');
    expect(push).toContain('New message');
  });

  it('is sent for a call that is proposed', async () => {
    const a = await XmppClient.connect(alice);
    const propose = `<propose xmlns="urn:xmpp:jingle-message:0" id="call-1"/><store xmlns="urn:xmpp:hints"/>`;
    await a.sendStanza(`<message type="chat" to="${bob.jid}">${propose}</message>`);
    expectDiscreet(await nextPush(), alice.username, 'call-1');
  });

  it('is sent for a message to a group of which he is a member', async () => {
    const a = await XmppClient.connect(alice);
    await a.join(group.jid);
    await a.sendToRoom(group.jid, 'All hands on deck');
    expectDiscreet(await nextPush(), alice.username, 'deck', group.group_id);
  });

  it('is not sent for the typing of somebody', async () => {
    const a = await XmppClient.connect(alice);
    const typing = '<composing xmlns="http://jabber.org/protocol/chatstates"/>';
    await a.sendStanza(`<message type="chat" to="${bob.jid}">${typing}</message>`);
    await a.send(bob.jid, 'Typed');
    const push = await nextPush();
    // The one for the text is the first that came.
    expect(push).toContain('New message');
  });

  it.each([
    ['wait', 'recipient-unavailable'],
    ['cancel', 'item-not-found'],
    ['auth', 'forbidden'],
  ])('that is refused ends the push session, unless the error is of type wait: %s', async (type, condition) => {
    const phone = await XmppClient.connect(bob);
    await phone.enablePush(node, key);
    await phone.close();
    const a = await XmppClient.connect(alice);
    await a.send(bob.jid, `Refused with ${type}`);
    const named = `<${condition} xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/>`;
    await nextPush((attributes) => `<iq type='error' ${attributes}><error type='${type}'>${named}</error></iq>`);
    if (type === 'wait') {
      await a.send(bob.jid, 'Asked again');
      await nextPush();
    } else {
      await pushSessionEnds(bob, { node });
    }
  });
});
