/** SIP messages (RFC 3261) as text: what a user agent of ours sends, and what it reads of the answers. */

export type Header = readonly [name: string, value: string];

interface Content {
  headers: readonly Header[];
  body: string;
}

export interface SipRequest extends Content {
  method: string;
  uri: string;
}

export interface SipResponse extends Content {
  status: number;
  reason: string;
}

export type SipMessage = SipRequest | SipResponse;

export const isRequest = (message: SipMessage): message is SipRequest => 'method' in message;

/** RFC 3261 §7.3.3: the headers that we read, in their short form. */
const SHORT: Readonly<Record<string, string>> = { v: 'via', f: 'from', t: 'to', i: 'call-id', m: 'contact' };

const fullName = (name: string): string => SHORT[name.toLowerCase()] ?? name.toLowerCase();

export const headersOf = ({ headers }: Content, name: string): string[] =>
  headers.filter(([one]) => fullName(one) === name.toLowerCase()).map(([, value]) => value);

/** The first header of that name, or an empty string. */
export const headerOf = (message: Content, name: string): string => headersOf(message, name)[0] ?? '';

/** The URI of a name-addr: `<sip:a@b;transport=tcp>;expires=60` is `sip:a@b;transport=tcp`. */
export const uriOf = (value: string): string => /<([^>]+)>/.exec(value)?.[1] ?? value.split(';', 1)[0] ?? '';

export function format(message: SipMessage): string {
  const start = isRequest(message)
    ? `${message.method} ${message.uri} SIP/2.0`
    : `SIP/2.0 ${message.status} ${message.reason}`;
  const lines = message.headers.map(([name, value]) => `${name}: ${value}`);
  return [start, ...lines, `Content-Length: ${Buffer.byteLength(message.body)}`, '', message.body].join('\r\n');
}

/** Undefined when it is no SIP message. */
export function parse(text: string): SipMessage | undefined {
  const end = text.indexOf('\r\n\r\n');
  const [start = '', ...lines] = text.slice(0, Math.max(end, 0)).split('\r\n');
  const headers = lines.map((line): Header => {
    const colon = line.indexOf(':');
    return [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
  });
  const content = { headers, body: text.slice(end + 4) };
  const [, status, reason = ''] = /^SIP\/2\.0 (\d{3}) ?(.*)$/.exec(start) ?? [];
  if (status) return { status: Number(status), reason, ...content };
  const [, method, uri] = /^([A-Z]+) (\S+) SIP\/2\.0$/.exec(start) ?? [];
  return method && uri ? { method, uri, ...content } : undefined;
}

/** Whole messages in a stream of bytes (RFC 3261 §18.3), each character one of them, and what is left. */
export function cut(stream: string): { texts: string[]; rest: string } {
  const texts: string[] = [];
  for (let rest = stream; ; ) {
    rest = rest.replace(/^(\r\n)+/, '');
    const end = rest.indexOf('\r\n\r\n');
    const length = /^(?:content-length|l)\s*:\s*(\d+)/im.exec(rest.slice(0, Math.max(end, 0)))?.[1];
    const size = end + 4 + Number(length);
    if (end < 0 || length === undefined || rest.length < size) return { texts, rest };
    texts.push(Buffer.from(rest.slice(0, size), 'latin1').toString());
    rest = rest.slice(size);
  }
}
