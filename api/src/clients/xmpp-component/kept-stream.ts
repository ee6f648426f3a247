import type { Logger } from '@nestjs/common';
import xml, { type Element } from '@xmpp/xml';
import { ComponentStream, type StreamOptions } from './component-stream.js';

export interface KeepTimes {
  /** The first pause before another attempt to connect, and the longest: it doubles from one to the other. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** How long nothing may come before the other side is asked whether it is there, and as long again for its answer. */
  quietMs: number;
}

export const KEEP_TIMES: KeepTimes = { firstPauseMs: 200, longestPauseMs: 1000, quietMs: 20_000 };

const PING = 'urn:xmpp:ping';

/** A component's stream that is opened again whenever it ends. */
export class KeptStream {
  private stream: ComponentStream | undefined;
  private timer: NodeJS.Timeout | undefined;
  private failures = 0;
  private stopping = false;
  private readonly stopped = Promise.withResolvers<void>();

  constructor(
    private readonly options: StreamOptions,
    /** Where pings go: what the listener belongs to. */
    private readonly server: string,
    private readonly onStanza: (stanza: Element) => void,
    private readonly logger: Logger,
    private readonly times: KeepTimes = KEEP_TIMES,
  ) {}

  get connected(): boolean {
    return this.stream?.ready ?? false;
  }

  /** Called once. */
  start(): void {
    const stream = new ComponentStream(this.options, {
      onReady: () => this.ready(),
      onStanza: (stanza) => {
        this.heard();
        // What was asked for to hear from it.
        if (!stanza.is('iq') || stanza.attrs.type !== 'result') this.onStanza(stanza);
      },
      onClosed: (reason) => this.closed(reason),
    });
    this.stream = stream;
  }

  send(stanza: Element): boolean {
    return this.stream?.send(stanza) ?? false;
  }

  /** Resolves when the stream has ended, with everything that the other side had sent. */
  stop(): Promise<void> {
    this.stopping = true;
    if (this.stream) this.stream.close();
    else this.finish();
    return this.stopped.promise;
  }

  private ready(): void {
    this.failures = 0;
    this.logger.log(`connected as ${this.options.name}`);
    this.heard();
  }

  /** It is there: it is asked for a sign of life only when it has been quiet. */
  private heard(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), this.times.quietMs).unref();
  }

  private ask(): void {
    const attributes = { type: 'get', id: 'ping', from: this.options.name, to: this.server };
    this.send(xml('iq', attributes, xml('ping', { xmlns: PING })));
    this.timer = setTimeout(() => this.stream?.fail('it fell silent'), this.times.quietMs).unref();
  }

  private closed(reason: string): void {
    clearTimeout(this.timer);
    this.stream = undefined;
    if (this.stopping) this.finish();
    else this.connectAgain(reason);
  }

  private connectAgain(reason: string): void {
    // The first failure is news, the hundredth is not.
    if (this.failures === 0) this.logger.warn(`no connection to the component listener of ejabberd: ${reason}`);
    const pause = Math.min(this.times.longestPauseMs, this.times.firstPauseMs * 2 ** this.failures);
    this.failures += 1;
    this.timer = setTimeout(() => this.start(), pause).unref();
  }

  private finish(): void {
    clearTimeout(this.timer);
    this.stopped.resolve();
  }
}
