import { randomBytes } from 'node:crypto';
import xml, { type Element } from '@xmpp/xml';
import { ProbeError } from './probe-error.js';
import { Scram } from './scram.js';
import type { XmppStream } from './xmpp-stream.js';

const SASL = 'urn:ietf:params:xml:ns:xmpp-sasl';
const BIND = 'urn:ietf:params:xml:ns:xmpp-bind';
const ITEMS = 'http://jabber.org/protocol/disco#items';
const INFO = 'http://jabber.org/protocol/disco#info';
const UPLOAD = 'urn:xmpp:http:upload:0';

const encode = (text: string): string => Buffer.from(text).toString('base64');
const decode = (text: string): string => Buffer.from(text, 'base64').toString();

/** Where a file may be sent to, and where others fetch it (XEP-0363 §5). */
export interface UploadSlot {
  put: string;
  get: string;
}

/** An account that is logged in to the chat server. */
export class XmppSession {
  private constructor(
    private readonly stream: XmppStream,
    readonly jid: string,
  ) {}

  /** Logs in with SCRAM-SHA-256 and becomes available. The stream is closed when that fails. @throws ProbeError */
  static async logIn(stream: XmppStream, username: string, password: string): Promise<XmppSession> {
    try {
      await authenticate(stream, new Scram(username, password));
      await stream.open();
      const bound = await ask(stream, 'set', xml('bind', { xmlns: BIND }));
      const session = new XmppSession(stream, bound.getChild('bind', BIND)?.getChildText('jid') ?? '');
      stream.send(xml('presence'));
      return session;
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Sends a message to a JID (RFC 6121 §5). */
  sendMessage(to: string, body: string): void {
    stamp(this.stream, xml('message', { to, type: 'chat' }, xml('body', {}, body)));
  }

  /** Resolves when a message with that body has arrived. @throws ProbeError */
  async messageWith(body: string): Promise<void> {
    await this.stream.take('the message', (element) => element.is('message') && element.getChildText('body') === body);
  }

  /** Finds the upload service among those of the domain, and asks it for room for a file. @throws ProbeError */
  async uploadSlot(filename: string, size: number): Promise<UploadSlot> {
    const service = await this.findService(UPLOAD);
    const request = xml('request', { xmlns: UPLOAD, filename, size: String(size), 'content-type': 'text/plain' });
    const slot = (await ask(this.stream, 'get', request, service)).getChild('slot', UPLOAD);
    const urlOf = (name: string): string => slot?.getChild(name)?.attrs.url ?? '';
    return { put: urlOf('put'), get: urlOf('get') };
  }

  close(): void {
    this.stream.close();
  }

  /** The service of the domain that has the feature (XEP-0030). */
  private async findService(feature: string): Promise<string> {
    const listed = await ask(this.stream, 'get', xml('query', { xmlns: ITEMS }), this.stream.domain);
    const jids = (listed.getChild('query', ITEMS)?.getChildren('item') ?? []).map(({ attrs }) => String(attrs.jid));
    for (const jid of jids) if (await this.has(jid, feature)) return jid;
    throw new ProbeError('unexpected', `none of the services of ${this.stream.domain} takes files`);
  }

  private async has(jid: string, feature: string): Promise<boolean> {
    const answer = await ask(this.stream, 'get', xml('query', { xmlns: INFO }), jid).catch(() => null);
    const features = answer?.getChild('query', INFO)?.getChildren('feature') ?? [];
    return features.some(({ attrs }) => attrs.var === feature);
  }
}

/** The mechanisms that a server offers (RFC 6120 §6.3.3). */
export const mechanismsOf = ({ features }: XmppStream): string[] =>
  (features.getChild('mechanisms', SASL)?.getChildren('mechanism') ?? []).map((element) => element.getText());

async function authenticate(stream: XmppStream, scram: Scram): Promise<void> {
  stream.send(xml('auth', { xmlns: SASL, mechanism: 'SCRAM-SHA-256' }, encode(scram.first)));
  const challenge = await nextOfSasl(stream, 'challenge');
  stream.send(xml('response', { xmlns: SASL }, encode(await scram.final(challenge))));
  scram.verify(await nextOfSasl(stream, 'success'));
}

async function nextOfSasl(stream: XmppStream, wanted: string): Promise<string> {
  const element = await stream.take('an answer to the login', (one) => one.getNS() === SASL);
  if (element.is(wanted)) return decode(element.getText());
  const condition = element.getChildElements()[0]?.getName() ?? element.getName();
  throw new ProbeError('rejected', `the chat server refused the login (${condition})`);
}

/** An IQ and its result (RFC 6120 §8.2.3). @throws ProbeError */
async function ask(stream: XmppStream, type: 'get' | 'set', query: Element, to?: string): Promise<Element> {
  const id = stamp(stream, xml('iq', { type, ...(to ? { to } : {}) }, query));
  const answer = await stream.take(
    `the answer to ${query.getName()}`,
    (element) => element.is('iq') && element.attrs.id === id && ['result', 'error'].includes(element.attrs.type),
  );
  if (answer.attrs.type === 'result') return answer;
  const condition = answer.getChild('error')?.getChildElements()[0]?.getName() ?? 'an error';
  throw new ProbeError('rejected', `the chat server answered ${query.getName()} with ${condition}`);
}

/** Sends a stanza under an id of its own, and gives the id. */
function stamp(stream: XmppStream, stanza: Element): string {
  const id = randomBytes(6).toString('hex');
  stanza.attr('id', id);
  stream.send(stanza);
  return id;
}
