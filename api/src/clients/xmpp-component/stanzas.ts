import xml, { type Element } from '@xmpp/xml';

const STANZA_ERRORS = 'urn:ietf:params:xml:ns:xmpp-stanzas';

/** Conditions of RFC 6120 §8.3.3, and what whoever asked may do about them (§8.3.2). */
export interface StanzaError {
  type: 'auth' | 'cancel' | 'modify' | 'wait';
  condition:
    | 'bad-request'
    | 'feature-not-implemented'
    | 'forbidden'
    | 'internal-server-error'
    | 'item-not-found'
    | 'recipient-unavailable'
    | 'service-unavailable';
}

/** What a request is answered with: its result, with content or without, or an error. */
export type IqAnswer = { result?: Element } | { error: StanzaError };

/** An attribute, which is text if it is there. */
export const attributeOf = (element: Element, name: string): string | undefined => element.attrs[name];

/** The answer to a stanza, from whom it was for to whom it came from. */
function reply(to: Element, type: string, ...content: Element[]): Element {
  const { from, to: own, id } = to.attrs;
  return xml(to.getName(), { type, id, from: own, to: from }, ...content);
}

export const errorReply = (to: Element, { type, condition }: StanzaError): Element =>
  reply(to, 'error', xml('error', { type }, xml(condition, { xmlns: STANZA_ERRORS })));

export const iqReply = (to: Element, answer: IqAnswer): Element =>
  'error' in answer ? errorReply(to, answer.error) : reply(to, 'result', ...(answer.result ? [answer.result] : []));

export const SERVICE_UNAVAILABLE: StanzaError = { type: 'cancel', condition: 'service-unavailable' };
export const BAD_REQUEST: StanzaError = { type: 'modify', condition: 'bad-request' };
