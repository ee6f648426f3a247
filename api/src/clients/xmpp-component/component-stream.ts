import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import { type Element, escapeXML } from '@xmpp/xml';
import type { Secret } from '../../common/secret.js';
import { STREAMS, type StanzaListener, StanzaReader } from './stanza-reader.js';

export const COMPONENT = 'jabber:component:accept';
const STREAM_ERRORS = 'urn:ietf:params:xml:ns:xmpp-streams';

export interface StreamOptions {
  host: string;
  port: number;
  /** The component's own name. */
  name: string;
  secret: Secret;
  /** How long the other side may take to let it in, or to close the stream with it, in milliseconds. */
  patienceMs: number;
}

export interface StreamEvents {
  /** The other side has let it in. */
  onReady(): void;
  onStanza(stanza: Element): void;
  /** The connection is gone, and why, in words that hold no secret. Told once, and nothing after it. */
  onClosed(reason: string): void;
}

/** One connection of a component (XEP-0114 §3): stream, handshake, stanzas, the end of the stream. */
export class ComponentStream implements StanzaListener {
  private readonly socket: Socket;
  private readonly reader = new StanzaReader(this);
  private readonly patience: NodeJS.Timeout;
  private state: 'opening' | 'ready' | 'closing' | 'closed' = 'opening';
  private reason = 'the connection was closed';

  constructor(
    private readonly options: StreamOptions,
    private readonly events: StreamEvents,
  ) {
    const { host, port, name, patienceMs } = options;
    this.patience = setTimeout(() => this.fail('it did not answer in time'), patienceMs);
    this.socket = connect({ host, port, noDelay: true });
    this.socket.setEncoding('utf8');
    this.socket.on('connect', () => this.write(`<?xml version='1.0'?>${openingTag(name)}`));
    this.socket.on('data', (text: string) => this.read(text));
    this.socket.on('error', ({ code }: NodeJS.ErrnoException) => this.fail(code ?? 'the connection broke'));
    this.socket.on('close', () => this.closed());
  }

  get ready(): boolean {
    return this.state === 'ready';
  }

  /** False when the stream is not open: nothing was written then. */
  send(stanza: Element): boolean {
    if (!this.ready) return false;
    this.write(stanza.toString());
    return true;
  }

  /** Closes the stream, and the connection once the other side has closed its own: what it has sent until then arrives. */
  close(): void {
    if (this.state === 'closing' || this.state === 'closed') return;
    const wasReady = this.ready;
    this.state = 'closing';
    this.reason = 'it was ended by us';
    if (!wasReady) return void this.socket.destroy();
    this.write('</stream:stream>');
    setTimeout(() => this.socket.destroy(), this.options.patienceMs).unref();
  }

  /** Ends the connection at once. */
  fail(reason: string): void {
    if (this.state === 'closed') return;
    if (this.state !== 'closing') this.reason = reason;
    this.state = 'closing';
    this.socket.destroy();
  }

  onOpen({ id, from }: Readonly<Record<string, string>>): void {
    if (!id) throw new Error('it opened a stream without an id');
    if (from !== undefined && from !== this.options.name) throw new Error('it is no server for this component');
    // XEP-0114 §3, step 3: SHA-1 is what the protocol has.
    const digest = createHash('sha1').update(`${id}${this.options.secret.reveal()}`).digest('hex');
    this.write(`<handshake>${digest}</handshake>`);
  }

  onStanza(stanza: Element): void {
    if (stanza.is('error', STREAMS)) this.fail(`it said ${conditionOf(stanza)}`);
    else if (this.state === 'opening') this.letIn(stanza);
    else this.events.onStanza(stanza);
  }

  onEnd(): void {
    if (this.state !== 'closing') this.write('</stream:stream>');
    this.fail('it ended the stream');
  }

  private letIn(stanza: Element): void {
    if (!stanza.is('handshake', COMPONENT)) throw new Error('it answered no handshake');
    this.state = 'ready';
    clearTimeout(this.patience);
    this.events.onReady();
  }

  private read(text: string): void {
    if (this.state === 'closed' || this.socket.destroyed) return;
    try {
      this.reader.write(text);
    } catch (error) {
      // What came is not repeated: it may be somebody's message.
      this.fail(`what it sent was refused: ${error instanceof Error ? error.message : 'unknown'}`);
    }
  }

  private write(text: string): void {
    if (this.socket.writable) this.socket.write(text);
  }

  private closed(): void {
    clearTimeout(this.patience);
    this.state = 'closed';
    this.events.onClosed(this.reason);
  }
}

const openingTag = (name: string): string =>
  `<stream:stream xmlns='${COMPONENT}' xmlns:stream='${STREAMS}' to='${escapeXML(name)}'>`;

const conditionOf = (error: Element): string =>
  error
    .getChildElements()
    .find((child) => child.getNS() === STREAM_ERRORS && !child.is('text'))
    ?.getName() ?? 'an error';
