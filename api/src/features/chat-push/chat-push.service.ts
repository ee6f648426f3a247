import { Inject, Injectable } from '@nestjs/common';
import xml, { type Element } from '@xmpp/xml';
import {
  attributeOf,
  BAD_REQUEST,
  type IqAnswer,
  SERVICE_UNAVAILABLE,
  type StanzaError,
} from '../../clients/xmpp-component/stanzas.js';
import { XmppComponent } from '../../clients/xmpp-component/xmpp-component.client.js';
import { CONFIG, type Config } from '../../config/config.js';
import { PushNodes } from '../push/push-nodes.js';
import { PUBSUB, PUSH, type Publication, publicationIn } from './publication.js';
import { type WakeUp, WakeUps } from './wake-ups.js';

const DISCO_INFO = 'http://jabber.org/protocol/disco#info';
const DISCO_ITEMS = 'http://jabber.org/protocol/disco#items';
const PING = 'urn:xmpp:ping';

/** Any type but `wait` makes ejabberd end the push session. */
const ENDED: StanzaError = { type: 'cancel', condition: 'item-not-found' };
const FORBIDDEN: StanzaError = { type: 'auth', condition: 'forbidden' };
const NOT_NOW: StanzaError = { type: 'wait', condition: 'recipient-unavailable' };

/** The push service of the domain (XEP-0357): ejabberd publishes to a device's node that something came, and it is woken. */
@Injectable()
export class ChatPush {
  private readonly domain: string;

  constructor(
    private readonly component: XmppComponent,
    private readonly nodes: PushNodes,
    private readonly wakeUps: WakeUps,
    @Inject(CONFIG) { addresses }: Config,
  ) {
    this.domain = addresses.xmppDomain;
    component.onIq((from, type, payload) => this.answer(from, type, payload));
  }

  /**
   * Tells ejabberd of up to `most` devices that are registered no more, so that their push sessions end (XEP-0357 §9). One
   * that it does not hear of ends with the next push.
   */
  async endSessions(most: number): Promise<void> {
    if (!this.component.connected) return;
    for (const { jid, node } of await this.nodes.takeDead(most)) {
      const affiliation = xml('affiliation', { jid, affiliation: 'none' });
      this.component.sendMessage(jid, xml('pubsub', { xmlns: PUBSUB, node }, affiliation));
    }
  }

  private async answer(from: string, type: 'get' | 'set', payload: Element): Promise<IqAnswer> {
    const request = `${type} ${payload.getNS()} ${payload.getName()}`;
    switch (request) {
      case `set ${PUBSUB} pubsub`:
        return this.publish(from, payload);
      case `get ${DISCO_INFO} query`:
        return attributeOf(payload, 'node') ? { error: ENDED } : { result: description() };
      case `get ${DISCO_ITEMS} query`:
        return { result: xml('query', { xmlns: DISCO_ITEMS }) };
      case `get ${PING} ping`:
        return {};
      default:
        return { error: SERVICE_UNAVAILABLE };
    }
  }

  private async publish(from: string, payload: Element): Promise<IqAnswer> {
    // Accounts write to their server, and it publishes: none of them wakes anybody by itself.
    if (from !== this.domain) return { error: FORBIDDEN };
    const publication = publicationIn(payload);
    if (!publication) return { error: BAD_REQUEST };
    if (!this.nodes.proves(publication.node, publication.secret)) {
      this.wakeUps.count('wrong_secret');
      return { error: FORBIDDEN };
    }
    return answerTo(await this.wake(publication));
  }

  private async wake({ node, urgent }: Publication): Promise<WakeUp | 'unknown_node'> {
    const device = await this.nodes.find(node);
    return device ? this.wakeUps.wake(node, device, urgent) : this.wakeUps.count('unknown_node');
  }
}

function answerTo(outcome: WakeUp | 'unknown_node'): IqAnswer {
  switch (outcome) {
    case 'accepted':
    case 'coalesced':
      return {};
    case 'unregistered':
    case 'unknown_node':
      return { error: ENDED };
    default:
      // What the operator can mend, or time: the device is still there.
      return { error: NOT_NOW };
  }
}

const description = (): Element =>
  xml(
    'query',
    { xmlns: DISCO_INFO },
    xml('identity', { category: 'pubsub', type: 'push', name: 'Push' }),
    ...[DISCO_INFO, PING, PUSH].map((feature) => xml('feature', { var: feature })),
  );
