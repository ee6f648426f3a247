import { checkServerIdentity, type DetailedPeerCertificate, type TLSSocket } from 'node:tls';

/** What a server's certificate says, and what a client that trusts the given authorities makes of it. */
export interface Certificate {
  fingerprint: string;
  /** Why its chain leads to no trusted authority, in OpenSSL's words; undefined when it does. */
  distrust: string | undefined;
  /** The name that a client asks for, and whether the certificate is for it. */
  name: string;
  coversName: boolean;
  validFrom: Date;
  /** The earliest end in the chain that was presented: that of an authority ends it all as well. */
  validUntil: Date;
}

/** The certificate that a server has shown for `name`, on a connection that was opened without verifying it. */
export function certificateOf(socket: TLSSocket, name: string): Certificate {
  const shown = socket.getPeerCertificate(true);
  const chain = chainOf(shown);
  return {
    fingerprint: shown.fingerprint256,
    distrust: distrustOf(socket),
    name,
    coversName: checkServerIdentity(name, shown) === undefined,
    validFrom: new Date(Math.max(...chain.map(({ valid_from }) => Date.parse(valid_from)))),
    validUntil: new Date(Math.min(...chain.map(({ valid_to }) => Date.parse(valid_to)))),
  };
}

/** Node compares the name as well, when the chain is trusted. */
function distrustOf({ authorized, authorizationError }: TLSSocket): string | undefined {
  const reason = String(authorizationError);
  return authorized || reason === 'ERR_TLS_CERT_ALTNAME_INVALID' ? undefined : reason;
}

/** From the server's certificate up; the authority at the end is its own issuer. */
function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
  const chain = [leaf];
  for (let next = leaf.issuerCertificate; next && !chain.includes(next); next = next.issuerCertificate)
    chain.push(next);
  return chain;
}
