import { describe, expect, it } from '@jest/globals';
import { codeOf, failureOf, retryAfterMs, secondsLeft } from './failures.js';

const NOW = new Date('2026-11-28T20:00:00Z');
const WHERE = { name: 'APNs', urlSetting: 'APNS_URL', authoritySetting: 'APNS_CA_FILE' };
const coded = (code: string, cause?: unknown): Error => Object.assign(new Error('secret-token', { cause }), { code });

describe('a failure', () => {
  it('is known by the code at its bottom', () => {
    expect(codeOf(coded('ECONNRESET'))).toBe('ECONNRESET');
    expect(codeOf(coded('ERR_HTTP2_STREAM_CANCEL', coded('ECONNREFUSED')))).toBe('ECONNREFUSED');
    expect(codeOf({ error: Object.assign(new Error('x'), { jse_cause: coded('EPIPE') }) })).toBe('EPIPE');
    for (const nothing of [undefined, null, 'text', {}, new Error('x')])
      expect(codeOf(nothing)).toBe('connection lost');
    const circle: { error?: unknown } = {};
    circle.error = circle;
    expect(codeOf(circle)).toBe('connection lost');
  });

  it('of a certificate is no reason to try again, any other is; its text is not told', () => {
    for (const code of ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID']) {
      expect(failureOf(coded(code), WHERE)).toEqual({
        result: 'failed',
        detail: `the certificate of APNs is not trusted (${code}): look at APNS_CA_FILE and APNS_URL`,
      });
    }
    const passing = failureOf(coded('ENOTFOUND'), WHERE);
    expect(passing).toMatchObject({ result: 'retry', afterMs: null, detail: expect.stringContaining('(ENOTFOUND)') });
    expect(passing.detail).not.toContain('secret');
  });
});

it.each([
  ['7', 7000],
  ['0', 0],
  ['Sat, 28 Nov 2026 20:00:30 GMT', 30_000],
  ['Sat, 28 Nov 2026 19:00:00 GMT', 0],
  ['soon', null],
  ['-1', null],
  ['', null],
  [undefined, null],
])('Retry-After %j is %j ms', (header, ms) => {
  expect(retryAfterMs(header, NOW)).toBe(ms);
});

it('what is left is told in whole seconds', () => {
  expect(secondsLeft(new Date(NOW.getTime() + 1999), NOW)).toBe(1);
  expect(secondsLeft(new Date(NOW.getTime() - 1), NOW)).toBe(0);
});
