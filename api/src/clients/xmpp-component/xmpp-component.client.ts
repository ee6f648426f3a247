import { setTimeout as delay } from 'node:timers/promises';
import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
} from '@nestjs/common';
import xml, { type Element } from '@xmpp/xml';
import { Metrics } from '../../common/metrics.js';
import { BACKGROUND } from '../../common/reaper.js';
import { CONFIG, type Config } from '../../config/config.js';
import { KeptStream } from './kept-stream.js';
import { attributeOf, BAD_REQUEST, errorReply, type IqAnswer, iqReply, SERVICE_UNAVAILABLE } from './stanzas.js';

/** So long requests have that came before the connection ended; nobody hears their answers any more. */
const LAST_ANSWERS_MS = 10_000;

/** Answers a request (an IQ) of `from`. When it throws, the request is answered that it may be tried again. */
export type IqHandler = (from: string, type: 'get' | 'set', payload: Element) => Promise<IqAnswer>;

/** The API as a component of the chat server, at `push.<domain>` (XEP-0114). */
export abstract class XmppComponent {
  /** Its own address. */
  abstract readonly jid: string;
  /** Whether the chat server has let it in. */
  abstract readonly connected: boolean;
  /** Who answers requests; until there is somebody, they are refused. */
  abstract onIq(handler: IqHandler): void;
  /** Sends a message to an address; false when there is no connection. Nobody says whether it arrives. */
  abstract sendMessage(to: string, payload: Element): boolean;
}

/** Keeps a connection to the component listener of ejabberd for as long as the application lives. */
@Injectable()
export class XmppComponentClient
  extends XmppComponent
  implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown
{
  readonly jid: string;
  private readonly logger = new Logger('XmppComponent');
  private readonly stream: KeptStream;
  private handler: IqHandler | undefined;
  private readonly working = new Set<Promise<void>>();
  private stopped: Promise<void> | undefined;

  constructor(
    @Inject(CONFIG) { addresses, neighbours, ports }: Config,
    @Inject(BACKGROUND) private readonly background: boolean,
    metrics: Metrics,
  ) {
    super();
    this.jid = `push.${addresses.xmppDomain}`;
    const options = {
      host: neighbours.componentHost,
      port: ports.xmppComponent,
      name: this.jid,
      secret: neighbours.componentSecret,
      patienceMs: neighbours.timeoutMs,
    };
    this.stream = new KeptStream(options, addresses.xmppDomain, (stanza) => this.receive(stanza), this.logger);
    metrics.gauge('xmpp_component_connected', 'Whether ejabberd has let the push service in: 1 or 0', () =>
      Number(this.connected),
    );
  }

  get connected(): boolean {
    return this.stream.connected;
  }

  onIq(handler: IqHandler): void {
    this.handler = handler;
  }

  sendMessage(to: string, payload: Element): boolean {
    return this.stream.send(xml('message', { from: this.jid, to }, payload));
  }

  onApplicationBootstrap(): void {
    if (this.background) this.stream.start();
  }

  /** The chat server pushes to another process from now on, or holds what it has until there is one. */
  onModuleDestroy(): void {
    this.stopped = this.background ? this.stream.stop() : undefined;
  }

  /** Resolves when what had come is done, or has had its time. What the handler needs lives until then. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.stopped;
    await Promise.race([Promise.all(this.working), delay(LAST_ANSWERS_MS, undefined, { ref: false })]);
  }

  private receive(stanza: Element): void {
    const type = attributeOf(stanza, 'type');
    if (type === 'error' || type === 'result') return;
    if (stanza.is('iq')) this.answer(stanza);
    // Presence is nobody's business here; a message would wait for an answer.
    else if (stanza.is('message')) this.stream.send(errorReply(stanza, SERVICE_UNAVAILABLE));
  }

  private answer(iq: Element): void {
    const work = this.answerOf(iq)
      .catch((error: unknown): IqAnswer => {
        this.logger.error(`a request failed: ${error instanceof Error ? error.message : 'unknown'}`);
        return { error: { type: 'wait', condition: 'internal-server-error' } };
      })
      .then((answer) => {
        this.stream.send(iqReply(iq, answer));
        this.working.delete(work);
      });
    this.working.add(work);
  }

  private async answerOf(iq: Element): Promise<IqAnswer> {
    const [type, from] = [attributeOf(iq, 'type'), attributeOf(iq, 'from')];
    const [payload, ...more] = iq.getChildElements();
    if ((type !== 'get' && type !== 'set') || !from || !payload || more.length > 0) return { error: BAD_REQUEST };
    if (!this.handler || attributeOf(iq, 'to') !== this.jid) return { error: SERVICE_UNAVAILABLE };
    return this.handler(from, type, payload);
  }
}
