/** What went wrong between us and a server, as far as it decides what is to be done about it. */
export type Trouble =
  | 'unresolved'
  | 'refused'
  | 'unreachable'
  | 'silent'
  | 'closed'
  | 'not_tls'
  | 'untrusted'
  | 'unexpected'
  | 'rejected';

/** Why a probe failed, in words that an operator can act on. It never carries what was sent: that may be a secret. */
export class ProbeError extends Error {
  constructor(
    readonly trouble: Trouble,
    message: string,
  ) {
    super(message);
    this.name = 'ProbeError';
  }
}

const closed = ['closed', 'the connection was closed'] as const;
const unreachable = ['unreachable', 'there is no way to that address from here'] as const;
const silent = ['silent', 'no answer in time'] as const;
const notTls = ['not_tls', 'what listens there does not speak TLS'] as const;

const EXPLANATIONS: Readonly<Record<string, readonly [Trouble, string]>> = {
  ENOTFOUND: ['unresolved', 'the name does not resolve'],
  EAI_AGAIN: ['unresolved', 'the name server does not answer'],
  ECONNREFUSED: ['refused', 'nothing listens there (connection refused)'],
  ECONNRESET: closed,
  EPIPE: closed,
  EHOSTUNREACH: unreachable,
  ENETUNREACH: unreachable,
  EADDRNOTAVAIL: unreachable,
  ETIMEDOUT: silent,
  ECONNABORTED: silent,
  ERR_CANCELED: silent,
  AbortError: silent,
  TimeoutError: silent,
  EPROTO: notTls,
  ERR_SSL_WRONG_VERSION_NUMBER: notTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: notTls,
  ERR_TLS_CERT_ALTNAME_INVALID: ['untrusted', 'the certificate is for another name'],
};

/** OpenSSL's words for a chain that does not lead to a trusted authority, and Node's name for a wrong host. */
const DISTRUST = /CERT|SIGNATURE|CRL/;

/** Of system and TLS errors the code; of a deadline's its name, which says more. */
function codeOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('name' in error && (error.name === 'TimeoutError' || error.name === 'AbortError')) return error.name;
  return 'code' in error ? String(error.code) : '';
}

/** Puts any failure of a connection into words. The original is dropped: those of HTTP clients hold the request. */
export function explain(error: unknown): ProbeError {
  if (error instanceof ProbeError) return error;
  const code = codeOf(error);
  const known = EXPLANATIONS[code];
  if (known) return new ProbeError(known[0], known[1]);
  if (DISTRUST.test(code)) return new ProbeError('untrusted', `the certificate is not trusted (${code})`);
  if (code.startsWith('ERR_SSL')) return new ProbeError('not_tls', `TLS could not be agreed on (${code})`);
  return new ProbeError('unexpected', code ? `the connection failed (${code})` : 'the connection failed');
}
