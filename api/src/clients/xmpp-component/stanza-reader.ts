import { Element } from '@xmpp/xml';
import { SaxesParser, type SaxesTagNS } from 'saxes';

export const STREAMS = 'http://etherx.jabber.org/streams';

/** Eight times what ejabberd/push_service.erl lets through: who sends more is not that server. */
const MOST_CHARACTERS = 64 * 1024;
/** What stands deeper is left out: no stanza that means anything here has it. */
const MOST_DEPTH = 32;

export interface StanzaListener {
  /** The other side has opened its stream, with these attributes. */
  onOpen(attributes: Readonly<Record<string, string>>): void;
  /** Every element of it declares its namespace, and none has a prefix. */
  onStanza(stanza: Element): void;
  /** The other side has closed its stream. */
  onEnd(): void;
}

/**
 * Cuts a stream into its stanzas (RFC 6120 §4.1). What is no well-formed XML, or of the kinds that a stream may not have
 * (§11.1: comments, processing instructions, a document type), or too large, ends it.
 */
export class StanzaReader {
  private readonly parser = new SaxesParser({ xmlns: true, position: false });
  /** The innermost element of a stanza that is open; null between stanzas. */
  private open: Element | null = null;
  private depth = 0;
  private inStream = false;
  /** Since the end of the last stanza, in whole chunks. */
  private characters = 0;

  constructor(private readonly listener: StanzaListener) {
    const restricted = (): never => {
      throw new Error('restricted-xml');
    };
    this.parser.on('doctype', restricted);
    this.parser.on('comment', restricted);
    this.parser.on('processinginstruction', restricted);
    this.parser.on('error', () => {
      throw new Error('not-well-formed');
    });
    this.parser.on('opentag', (tag) => this.begin(tag));
    this.parser.on('closetag', () => this.end());
    this.parser.on('text', (text) => this.say(text));
    this.parser.on('cdata', (text) => this.say(text));
  }

  /** @throws Error whose message is the condition of a stream error (RFC 6120 §4.9.3); nothing may be written after it */
  write(text: string): void {
    this.characters += text.length;
    this.parser.write(text);
    if (this.characters > MOST_CHARACTERS) throw new Error('policy-violation');
  }

  private begin(tag: SaxesTagNS): void {
    if (!this.inStream) {
      if (tag.local !== 'stream' || tag.uri !== STREAMS) throw new Error('invalid-namespace');
      this.inStream = true;
      this.listener.onOpen(attributesOf(tag));
      return;
    }
    this.depth += 1;
    if (this.depth > MOST_DEPTH) return;
    const element = new Element(tag.local, { ...attributesOf(tag), xmlns: tag.uri });
    this.open = this.open ? this.open.cnode(element) : element;
  }

  private say(text: string): void {
    if (this.depth <= MOST_DEPTH) this.open?.t(text);
  }

  private end(): void {
    const done = this.open;
    if (!done) {
      this.listener.onEnd();
      return;
    }
    this.depth -= 1;
    if (this.depth >= MOST_DEPTH) return;
    this.open = done.parent;
    if (this.open) return;
    this.characters = 0;
    this.listener.onStanza(done);
  }
}

/** Without declarations of namespaces, and without attributes that have one. */
const attributesOf = ({ attributes }: SaxesTagNS): Record<string, string> =>
  Object.fromEntries(
    Object.values(attributes)
      .filter(({ prefix, name }) => prefix === '' && name !== 'xmlns')
      .map(({ local, value }) => [local, value]),
  );
