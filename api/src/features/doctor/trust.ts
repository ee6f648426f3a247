import type { SecureContext } from 'node:tls';
import { trustedAuthorities } from '../../clients/probes/authorities.js';

/** Whom the doctor trusts to sign certificates: whom this machine does, and the operator's own. @param own in PEM */
export const trustedBy = (own: string | undefined): SecureContext => trustedAuthorities(own);
