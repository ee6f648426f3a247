import { platform } from './platform.js';
import { until } from './wait.js';
import { XmppDriver, XmppRefusal } from './xmpp-driver.js';
import {
  bodyOf,
  type ConnectOptions,
  type Contact,
  type ExternalService,
  type Message,
  type Presence,
  type PubsubItem,
  type Session,
} from './xmpp-stanzas.js';

export type { ExternalService, Message };
export { bodyOf, XmppRefusal };

let driver: XmppDriver | undefined;
let opened = 0;
const open = new Set<XmppClient>();

/** An XMPP client (slixmpp) that trusts nothing but the platform's own authority and speaks to it by address. */
export class XmppClient {
  readonly messages: Message[] = [];
  readonly presences: Presence[] = [];
  /** Why the stream ended; null while it is open. */
  closed: string | null = null;
  private established: Session | undefined;

  private constructor(
    private readonly name: string,
    private readonly process: XmppDriver,
  ) {
    process.listen(name, (event, data) => {
      if (event === 'message') this.messages.push(data as Message);
      else if (event === 'presence') this.presences.push(data as Presence);
      else this.closed = (data as { reason: string }).reason;
    });
  }

  static async connect(
    { jid, password }: { jid: string; password: string },
    {
      resource = 'story',
      mechanism = 'SCRAM-SHA-256',
      directTls = false,
      port = directTls ? platform.ports.xmppTls : platform.ports.xmpp,
      authority = platform.certificateAuthorityFile,
      tlsVersion,
      interests = [],
      available = true,
    }: ConnectOptions = {},
  ): Promise<XmppClient> {
    driver ??= new XmppDriver();
    opened += 1;
    const client = new XmppClient(`c${opened}`, driver);
    client.established = (await client.call('connect', {
      jid: `${jid}/${resource}`,
      password,
      mechanism,
      authority,
      tls_version: tlsVersion ?? null,
      interests,
      host: platform.host,
      port,
      direct_tls: directTls,
    })) as Session;
    open.add(client);
    if (available) await client.presence();
    return client;
  }

  get session(): Session {
    if (!this.established) throw new Error('the session was never established');
    return this.established;
  }

  get jid(): string {
    return this.session.jid;
  }

  /** The first message, already here or still to come, that the predicate accepts. */
  received(what: string, accepts: (message: Message) => boolean): Promise<Message> {
    return until(`${this.jid} receives ${what}`, () => this.messages.find(accepts));
  }

  /** Waits for a message with exactly this body, on its own or carried by a group's event. */
  receivedBody(body: string): Promise<Message> {
    return this.received(`"${body}"`, (message) => bodyOf(message) === body);
  }

  /** The first presence from a room, or from one occupant of it, that the predicate accepts. */
  presenceFrom(from: string, accepts: (presence: Presence) => boolean): Promise<Presence> {
    const isFrom = (presence: Presence) => presence.from === from || presence.from?.startsWith(`${from}/`);
    return until(`${this.jid} sees a presence of ${from}`, () => this.presences.find((p) => isFrom(p) && accepts(p)));
  }

  async ended(): Promise<string> {
    return until(`the stream of ${this.jid} ends`, () => this.closed);
  }

  // --- the life of a stream ---

  async close(): Promise<void> {
    open.delete(this);
    if (this.closed !== null) return;
    await this.call('close', {});
    await this.ended();
  }

  /** The connection breaks without a word, as when a phone loses its network. */
  async cut(): Promise<void> {
    await this.call('cut', {});
    await this.ended();
  }

  /** Connects again and resumes the stream that was cut; false when the server made a new one. */
  async resume(): Promise<boolean> {
    this.closed = null;
    return (await this.call('resume', { host: platform.host, port: platform.ports.xmpp })) as boolean;
  }

  // --- stanzas ---

  async presence(to?: string, kind?: string): Promise<void> {
    await this.call('presence', { to: to ?? null, kind: kind ?? null });
  }

  async send(to: string, body: string): Promise<string> {
    return (await this.call('message', { to, body, kind: 'chat' })) as string;
  }

  async sendToRoom(room: string, body: string): Promise<string> {
    return (await this.call('message', { to: room, body, kind: 'groupchat' })) as string;
  }

  async sendStanza(xml: string): Promise<void> {
    await this.call('send_xml', { xml });
  }

  /** An IQ as written; resolves with the payload of its result. */
  async iq(kind: 'get' | 'set', payload: string, to?: string): Promise<string | null> {
    return (await this.call('iq', { kind, payload, to: to ?? null })) as string | null;
  }

  // --- contacts, profile, private data ---

  async contacts(): Promise<Contact[]> {
    return (await this.call('contacts', {})) as Contact[];
  }

  async addContact(jid: string, name: string): Promise<void> {
    await this.call('add_contact', { jid, name });
  }

  async setVcard(name: string): Promise<void> {
    await this.call('set_vcard', { name });
  }

  async vcardName(jid: string): Promise<string | null> {
    return (await this.call('vcard', { jid })) as string | null;
  }

  async storePrivate(payload: string): Promise<void> {
    await this.call('store_private', { payload });
  }

  async private(payload: string): Promise<string> {
    return (await this.call('private', { payload })) as string;
  }

  // --- archive ---

  /** The account's own archive, oldest first. */
  async archive(correspondent?: string): Promise<Message[]> {
    return (await this.call('archive', { correspondent: correspondent ?? null })) as Message[];
  }

  async archiveOf(room: string): Promise<Message[]> {
    return (await this.call('archive', { of: room })) as Message[];
  }

  // --- rooms ---

  /** Enters a room; resolves with the occupant's own presence. */
  async join(room: string, nick = this.nick): Promise<Presence> {
    return (await this.call('join', { room, nick })) as Presence;
  }

  async leave(room: string): Promise<void> {
    await this.call('leave', { room, nick: this.nick });
  }

  /** Subscribes itself to a room's messages (MucSub). */
  async subscribe(room: string, nick = this.nick): Promise<void> {
    await this.call('subscribe', { room, nick });
  }

  async unsubscribe(room: string): Promise<void> {
    await this.iq('set', '<unsubscribe xmlns="urn:xmpp:mucsub:0"/>', room);
  }

  /** The name under which it enters rooms: the username. */
  get nick(): string {
    return this.jid.slice(0, this.jid.indexOf('@'));
  }

  // --- publish-subscribe ---

  async publish(node: string, id: string, payload: string, options?: Record<string, string>): Promise<void> {
    await this.call('publish', { node, item: id, payload, options: options ?? null });
  }

  async items(jid: string, node: string): Promise<PubsubItem[]> {
    return (await this.call('items', { jid, node })) as PubsubItem[];
  }

  // --- services ---

  async features(jid: string): Promise<string[]> {
    return (await this.call('disco_features', { jid })) as string[];
  }

  async services(jid: string): Promise<string[]> {
    return (await this.call('services', { jid })) as string[];
  }

  async externalServices(): Promise<ExternalService[]> {
    return (await this.call('external_services', { domain: platform.domain })) as ExternalService[];
  }

  async uploadSlot(name: string, size: number): Promise<{ put: string; get: string }> {
    const service = `upload.${platform.domain}`;
    return (await this.call('upload_slot', { service, name, size })) as { put: string; get: string };
  }

  async enableCarbons(): Promise<void> {
    await this.call('carbons', {});
  }

  async enablePush(node: string, secret: string): Promise<void> {
    await this.call('enable_push', { service: `push.${platform.domain}`, node, secret });
  }

  private call(method: string, params: Record<string, unknown>): Promise<unknown> {
    return this.process.request(this.name, method, params);
  }
}

/** Connects several accounts at once. */
export async function connectAll<T extends readonly { jid: string; password: string }[]>(
  ...accounts: T
): Promise<{ [K in keyof T]: XmppClient }> {
  const clients = await Promise.all(accounts.map((account) => XmppClient.connect(account)));
  return clients as { [K in keyof T]: XmppClient };
}

export async function closeAll(...clients: XmppClient[]): Promise<void> {
  await Promise.all(clients.map((client) => client.close()));
}

/** Closes every client of this file's stories. Call it in `afterAll`. */
export async function closeXmppClients(): Promise<void> {
  await Promise.all([...open].map((client) => client.close()));
  await driver?.end();
  driver = undefined;
}
