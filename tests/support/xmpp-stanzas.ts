/** What the clients of xmpp_client.py tell of the stanzas that they get, and take to connect. */

export interface Message {
  id: string | null;
  type: string;
  from: string | null;
  to: string | null;
  body: string | null;
  subject: string | null;
  /** Delivered from a store, not live (XEP-0203). */
  delayed: boolean;
  /** The archive's id of it (XEP-0359). */
  stanzaId: string | null;
  carbon: 'sent' | 'received' | null;
  /** The pubsub node of an event: `urn:xmpp:mucsub:nodes:messages` for a group's message. */
  node: string | null;
  /** The message inside a carbon or a group's event. */
  carried: Message | null;
  xml: string;
}

export interface Presence {
  type: string;
  from: string | null;
  to: string | null;
  affiliation: string | null;
  role: string | null;
  statusCodes: number[];
  error: string | null;
}

export interface Session {
  jid: string;
  mechanism: string;
  offered: string[];
  tls: string;
  streamManagement: boolean;
}

export interface Contact {
  jid: string;
  name: string | null;
  subscription: string;
}

export interface ExternalService {
  host: string;
  port: string;
  type: string;
  transport: string;
  restricted?: string;
  username?: string;
  password?: string;
  expires?: string;
}

export interface PubsubItem {
  id: string;
  payload: string;
}

export interface ConnectOptions {
  resource?: string;
  mechanism?: string;
  /** TLS from the first byte, on the port for it, instead of STARTTLS. */
  directTls?: boolean;
  /** On another platform than the one under test. */
  port?: number;
  /** The file of whom it trusts there. */
  authority?: string;
  /** `tls-unique`, the channel binding that slixmpp knows, ends with TLS 1.2. */
  tlsVersion?: '1.2';
  /** Nodes of its contacts whose changes it wants to be told of (PEP). */
  interests?: string[];
  /** Announce presence at once; without it no message is delivered to the session. */
  available?: boolean;
}

/** What a message says, itself or in the one that it carries. */
export const bodyOf = (message: Message): string | null => message.body ?? message.carried?.body ?? null;
