import type { Element } from '@xmpp/xml';
import { attributeOf } from '../../clients/xmpp-component/stanzas.js';

export const PUBSUB = 'http://jabber.org/protocol/pubsub';
export const PUSH = 'urn:xmpp:push:0';
const DATA = 'jabber:x:data';

/** What the chat server has to say to a device: that something came (XEP-0357 §7). */
export interface Publication {
  node: string;
  /** Empty when the client gave none. */
  secret: string;
  /** Whether a message with text came, encrypted or not, rather than something that can wait. */
  urgent: boolean;
}

/** Null when the request is no publication of one notification to one node. */
export function publicationIn(payload: Element): Publication | null {
  const publish = payload.getChild('publish', PUBSUB);
  const notification = publish?.getChild('item', PUBSUB)?.getChild('notification', PUSH);
  const node = publish && attributeOf(publish, 'node');
  if (!notification || !node) return null;
  const options = payload.getChild('publish-options', PUBSUB);
  return {
    node,
    secret: (options && fieldOf(options, 'secret')) ?? '',
    // The text that stands there is the server's own (mod_push: include_body), whatever was written.
    urgent: Boolean(fieldOf(notification, 'last-message-body')),
  };
}

function fieldOf(parent: Element, name: string): string | undefined {
  const fields = parent.getChild('x', DATA)?.getChildren('field', DATA) ?? [];
  return fields.find((field) => attributeOf(field, 'var') === name)?.getChildText('value', DATA) ?? undefined;
}
