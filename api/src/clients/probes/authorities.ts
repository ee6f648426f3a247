import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';

/** The authorities that programs on this machine trust, those that came with Node where it has none; and one more, in PEM. */
export function trustedAuthorities(another?: string): SecureContext {
  const system = getCACertificates('system');
  const known = system.length > 0 ? system : getCACertificates('bundled');
  return createSecureContext({ ca: [...new Set(known), ...(another ? [another] : [])] });
}
