import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { Secret } from '../common/secret.js';
import { NestLogger } from './nest-logger.js';

/** The line that is written for a message. */
function lineOf(message: unknown): Record<string, unknown> {
  const lines: string[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(line) });
  new NestLogger(logger).error(message, 'context');
  return JSON.parse(lines.join(''));
}

describe('a line of the log', () => {
  it.each([
    ...['password', 'new_password', 'DB_PASSWORD', 'push_token', 'id_token', 'refresh_token', 'internalSecret'],
    ...['authorization', 'Cookie', 'invite_code', 'body', 'payload', 'headers'],
  ])('never has the value of %s, at any depth', (name) => {
    expect(lineOf({ [name]: 'canary' })).toMatchObject({ [name]: '[redacted]' });
    expect(lineOf({ request: [{ [name]: { a: 'canary' } }] })).toMatchObject({ request: [{ [name]: '[redacted]' }] });
  });

  it.each([
    ['a token eyJhbGciOi.eyJzdWIi.c2ln was refused', 'a token [redacted] was refused'],
    ['sent authorization: Bearer canary', 'sent authorization: Bearer [redacted]'],
    ['sent Basic YWxpY2U6Y2FuYXJ5', 'sent Basic [redacted]'],
  ])('has none in its text: %s', (text, expected) => {
    expect(lineOf(text)).toMatchObject({ msg: expected });
    expect(lineOf({ stack: text })).toMatchObject({ stack: expected });
  });

  it('keeps what tells of a failure', () => {
    const failure = { request_id: 'a-1', code: 'internal_error', detail: 'x', cause: undefined, stack: 'Error: y' };
    expect(lineOf(failure)).toEqual({ level: 50, context: 'context', ...failure, cause: undefined });
    expect(lineOf('what follows failed: timeout')).toMatchObject({ msg: 'what follows failed: timeout' });
    expect(lineOf({ count: 3, none: null, at: new Date(0) })).toMatchObject({ count: 3, none: null });
  });

  it('says [redacted] for a secret under any name, and ends in whatever refers to itself', () => {
    const circle: Record<string, unknown> = { secretless: new Secret('canary') };
    circle.self = circle;
    expect(JSON.stringify(lineOf({ value: new Secret('canary'), circle }))).not.toContain('canary');
  });
});
