/**
 * Headers of every answer: nothing here is a page, is to be framed, sniffed or cached, or tells the next server where
 * somebody came from. Strict-Transport-Security is the TLS proxy's to send: over plain HTTP it means nothing (RFC 6797, 7.2).
 */
export const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

/** What pages of CORS_ORIGIN may do, and which headers they may read: a browser lets them do and read nothing else. */
export const CORS = {
  methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
  exposedHeaders: ['Retry-After', 'X-Request-Id', 'WWW-Authenticate', 'Content-Disposition'],
  maxAge: 3600,
};

/** The documentation is the one page: it loads its own scripts and styles. */
export const DOCUMENTATION_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";
