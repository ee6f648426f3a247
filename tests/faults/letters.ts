import { setTimeout as delay } from 'node:timers/promises';
import { XmppStream } from '../support/xmpp-stream.js';
import type { Journal } from './journal.js';
import type { Credentials } from './promises.js';
import type { World } from './world.js';

const PAUSE_MS = 150;
const SM = 'urn:xmpp:sm:3';

/** Chat messages from one account to another, each of which the server acknowledges before the next (XEP-0198). */
export class Letters {
  private serial = 0;

  constructor(
    readonly sender: Credentials,
    readonly recipient: Credentials,
    private readonly world: World,
    private readonly journal: Journal,
  ) {}

  /** Sends and receives, over new streams when the old ones end. */
  async live(stopped: () => boolean): Promise<void> {
    await Promise.all([again(stopped, () => this.send(stopped)), again(stopped, () => this.receive(stopped))]);
  }

  private async send(stopped: () => boolean): Promise<void> {
    const stream = await this.tried('log in by XMPP', () => logIn(this.sender));
    try {
      stream.write(`<enable xmlns='${SM}'/>`);
      await stream.read(/<enabled [^>]*>/);
      while (!stopped()) {
        await this.tried('send a message', () => this.sendOne(stream));
        await delay(PAUSE_MS);
      }
    } finally {
      stream.close();
    }
  }

  private async sendOne(stream: XmppStream): Promise<void> {
    this.serial += 1;
    const id = `${this.sender.username}-${this.serial}`;
    stream.write(`<message to='${this.recipient.jid}' id='${id}' type='chat'><body>${id}</body></message>`);
    stream.write(`<r xmlns='${SM}'/>`);
    await stream.read(/<a [^>]*h='\d+'[^>]*>/);
    this.world.acknowledged.add(id);
  }

  private async receive(stopped: () => boolean): Promise<void> {
    const stream = await logIn(this.recipient);
    try {
      stream.write('<presence/>');
      while (!stopped()) {
        const message = /<message [^>]*id='([^']+)'[^>]*>.*?<\/message>/s;
        const [, id] = await stream.read(message);
        this.world.received.add(id!);
      }
    } finally {
      stream.close();
    }
  }

  private async tried<T>(kind: string, work: () => Promise<T>): Promise<T> {
    const entry = { protocol: 'xmpp' as const, kind, startedAt: performance.now() };
    try {
      const result = await work();
      this.journal.note({ ...entry, endedAt: performance.now() });
      return result;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      // Who is told that his password is wrong, when it is not, is lied to.
      const failure = /not-authorized/.test(detail) ? 'unclear' : 'connection';
      this.journal.note({ ...entry, endedAt: performance.now(), failure, detail });
      throw error;
    }
  }
}

/** Begins anew whenever it fails. */
async function again(stopped: () => boolean, work: () => Promise<void>): Promise<void> {
  while (!stopped()) {
    await work().catch(() => {});
    await delay(PAUSE_MS);
  }
}

async function logIn({ username, password }: Credentials): Promise<XmppStream> {
  const stream = XmppStream.connect();
  try {
    await stream.open();
    await stream.startTls();
    await stream.open();
    const failure = await stream.authenticate(username, password);
    if (failure) throw new Error(failure);
    await stream.open();
    stream.write("<iq type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>");
    await stream.read(/<iq [^>]*>.*?<\/iq>/s);
    return stream;
  } catch (error) {
    stream.close();
    throw error;
  }
}
