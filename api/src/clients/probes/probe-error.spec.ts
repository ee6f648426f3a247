import { expect, it } from '@jest/globals';
import { explain, ProbeError } from './probe-error.js';

const failure = (code: string) => Object.assign(new Error('the password is hunter2'), { code });

it.each([
  ['ENOTFOUND', 'unresolved'],
  ['ECONNREFUSED', 'refused'],
  ['ENETUNREACH', 'unreachable'],
  ['ETIMEDOUT', 'silent'],
  ['ERR_CANCELED', 'silent'],
  ['ECONNRESET', 'closed'],
  ['ERR_SSL_WRONG_VERSION_NUMBER', 'not_tls'],
  ['ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE', 'not_tls'],
  ['ERR_TLS_CERT_ALTNAME_INVALID', 'untrusted'],
  ['CERT_HAS_EXPIRED', 'untrusted'],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', 'untrusted'],
  ['EWHATEVER', 'unexpected'],
])('%s is %s, and nothing of the original is told', (code, trouble) => {
  const explained = explain(failure(code));
  expect(explained).toMatchObject({ trouble });
  expect(explained.message).not.toContain('hunter2');
});

it('takes a deadline for silence, and leaves what is explained already', () => {
  expect(explain(new DOMException('late', 'TimeoutError')).trouble).toBe('silent');
  expect(explain(AbortSignal.abort().reason).trouble).toBe('silent');
  const mine = new ProbeError('rejected', 'no');
  expect(explain(mine)).toBe(mine);
  expect(explain('nothing').trouble).toBe('unexpected');
});
