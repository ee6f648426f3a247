/** SIP messages as text: just what a test client needs of RFC 3261, without judging what it is given. */

export type Header = readonly [name: string, value: string];

export interface SipMessage {
  /** Of a request. */
  method?: string;
  uri?: string;
  /** Of a response. */
  status?: number;
  headers: Header[];
  body: string;
  /** Not to be told: that of a datagram ends with it. */
  lengthUntold?: boolean;
}

export type SipRequest = SipMessage & { method: string; uri: string };
export type SipResponse = SipMessage & { status: number };

export const isRequest = (message: SipMessage): message is SipRequest => message.method !== undefined;
export const isResponse = (message: SipMessage): message is SipResponse => message.status !== undefined;

const COMPACT: Record<string, string> = {
  v: 'via',
  f: 'from',
  t: 'to',
  i: 'call-id',
  m: 'contact',
  l: 'content-length',
  c: 'content-type',
  e: 'content-encoding',
  k: 'supported',
};

const canonical = (name: string): string => COMPACT[name.toLowerCase()] ?? name.toLowerCase();

export const headersOf = ({ headers }: SipMessage, name: string): string[] =>
  headers.filter(([key]) => canonical(key) === canonical(name)).map(([, value]) => value);

/** The first header of that name, or an empty string. */
export const header = (message: SipMessage, name: string): string => headersOf(message, name)[0] ?? '';

/** A parameter of a header value: `parameter('<sip:a@b>;tag=7', 'tag')` is `7`. */
export const parameter = (value: string, name: string): string | undefined =>
  new RegExp(`;${name}=([^;>\\s]+)`).exec(value)?.[1];

export const tagOf = (message: SipMessage, name: 'From' | 'To'): string | undefined =>
  parameter(header(message, name), 'tag');

/** The URI of a name-addr: `<sip:a@b;transport=tcp>;expires=60` is `sip:a@b;transport=tcp`. */
export const uriOf = (value: string): string => /<([^>]+)>/.exec(value)?.[1] ?? value.split(';')[0] ?? '';

export function format(message: SipMessage): string {
  const start = isRequest(message)
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.status === 200 ? 'OK' : 'Test'}`;
  const lines = message.headers.map(([name, value]) => `${name}: ${value}`);
  if (!message.lengthUntold) lines.push(`Content-Length: ${Buffer.byteLength(message.body)}`);
  return [start, ...lines, '', message.body].join('\r\n');
}

export function parse(text: string): SipMessage {
  const [head = '', body = ''] = split(text);
  const [start = '', ...lines] = head.split('\r\n');
  const headers = lines.map((line): Header => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const status = /^SIP\/2\.0 (\d{3})/.exec(start)?.[1];
  if (status) return { status: Number(status), headers, body };
  const [method, uri] = start.split(' ');
  return { method, uri, headers, body };
}

const split = (text: string): [string, string] => {
  const end = text.indexOf('\r\n\r\n');
  return [text.slice(0, end), text.slice(end + 4)];
};

/** Cuts whole messages off a stream of bytes, one a character (RFC 3261, 18.3): returns them and what is left. */
export function takeMessages(stream: string): { messages: SipMessage[]; rest: string } {
  const messages: SipMessage[] = [];
  let rest = stream.replace(/^(\r\n)+/, '');
  for (;;) {
    const end = rest.indexOf('\r\n\r\n');
    const length = /^content-length\s*:\s*(\d+)/im.exec(rest.slice(0, end))?.[1];
    const total = end + 4 + Number(length);
    if (end < 0 || length === undefined || rest.length < total) return { messages, rest };
    messages.push(parse(Buffer.from(rest.slice(0, total), 'latin1').toString()));
    rest = rest.slice(total).replace(/^(\r\n)+/, '');
  }
}
