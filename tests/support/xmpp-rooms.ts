import { expect } from '@jest/globals';
import { platform } from './platform.js';
import { bodyOf, type Message, type XmppClient } from './xmpp.js';

/** Everything with that body that has reached the client, in whatever way. */
export const heard = (client: XmppClient, body: string): Message[] =>
  client.messages.filter((message) => bodyOf(message) === body);

/**
 * Returns once everything that the room has sent so far has reached the listener: the room answers after it has
 * handed out what came before, and the listener's server session after it has passed on what was handed to it.
 */
export async function caughtUp(room: string, insider: XmppClient, listener: XmppClient): Promise<void> {
  await insider.features(room);
  await listener.features(platform.domain);
}

/** Changes settings of a room as its owner may, by their names in the form of XEP-0045. */
export async function configure(room: string, owner: XmppClient, settings: Record<string, string>): Promise<void> {
  const fields = Object.entries({ FORM_TYPE: 'http://jabber.org/protocol/muc#roomconfig', ...settings });
  const form = fields.map(([name, value]) => `<field var="${name}"><value>${value}</value></field>`).join('');
  const query = `<x xmlns="jabber:x:data" type="submit">${form}</x>`;
  await owner.iq('set', `<query xmlns="http://jabber.org/protocol/muc#owner">${query}</query>`, room);
}

/** The room has told the client that it is out, and why: 321 no member any more, 322 only members are let in, 301 banned. */
export async function expectShownOut(client: XmppClient, room: string, code: 301 | 321 | 322): Promise<void> {
  const own = `${room}/${client.nick}`;
  await client.presenceFrom(own, ({ type, statusCodes }) => type === 'unavailable' && statusCodes.includes(code));
}

/** One member says something that another hears, and the outsider does not, in any way. */
export async function expectNothingHeard(
  room: string,
  body: string,
  { speaker, listener, outsider }: Record<'speaker' | 'listener' | 'outsider', XmppClient>,
): Promise<void> {
  await speaker.sendToRoom(room, body);
  await listener.receivedBody(body);
  await caughtUp(room, speaker, outsider);
  expect(heard(outsider, body)).toEqual([]);
}
