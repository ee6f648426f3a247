import { expect, it } from '@jest/globals';
import { cut, format, headerOf, headersOf, isRequest, parse, uriOf } from './sip-message.js';

const OK = ['SIP/2.0 200 OK', 'v: SIP/2.0/TLS h', 'Contact: <sip:a@b;transport=tls>;expires=60', 'To: <sip:a@b>;tag=7'];

it('reads a response, short names included', () => {
  const message = parse(`${OK.join('\r\n')}\r\n\r\nbody`);
  expect(message).toMatchObject({ status: 200, reason: 'OK', body: 'body' });
  if (!message) throw new Error('it is a message');
  expect(headersOf(message, 'Via')).toEqual(['SIP/2.0/TLS h']);
  expect(uriOf(headerOf(message, 'Contact'))).toBe('sip:a@b;transport=tls');
  expect(headerOf(message, 'Route')).toBe('');
});

it('writes a request that it reads again', () => {
  const request = { method: 'OPTIONS', uri: 'sip:veil.test', headers: [['CSeq', '1 OPTIONS'] as const], body: 'ä' };
  const again = parse(format(request));
  expect(again).toMatchObject({ method: 'OPTIONS', uri: 'sip:veil.test', body: 'ä' });
  expect(again && isRequest(again) && headerOf(again, 'Content-Length')).toBe('2');
});

it.each(['', 'HTTP/1.1 400 Bad Request\r\n\r\n', '220 mail ESMTP\r\n'])('takes %j for no SIP message', (text) => {
  expect(parse(text)).toBeUndefined();
});

it('cuts a stream into messages, and keeps what is not whole', () => {
  const one = 'SIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nab';
  expect(cut(`\r\n\r\n${one}\r\n${one}SIP/2.0`)).toEqual({ texts: [one, one], rest: 'SIP/2.0' });
  expect(cut(one.slice(0, -1))).toEqual({ texts: [], rest: one.slice(0, -1) });
});
