import { Inject, Injectable } from '@nestjs/common';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import { Clock } from '../../common/clock.js';
import { normalEmail } from '../../common/email.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import { GoogleKeys } from './google-keys.client.js';

/** Whom an ID token of Google names. */
export interface GoogleIdentity {
  /** Google's own name for the account, for ever. */
  sub: string;
  /** In its normal form, and only when Google says that it is the account's own. */
  verifiedEmail: string | null;
}

const ISSUERS = ['accounts.google.com', 'https://accounts.google.com'];
/** By how much Google's clock and ours may differ. */
const LEEWAY_SECONDS = 30;
const OLDEST_TOKEN = '24 h';
const MOST_SUB = 255;

const refused = (reason: string): Problem => new Problem('invalid_id_token', reason);

/** Verifies ID tokens that apps get from Google (OpenID Connect Core §3.1.3.7). */
@Injectable()
export class Google {
  private readonly clientIds: string[];

  constructor(
    private readonly keys: GoogleKeys,
    private readonly clock: Clock,
    @Inject(CONFIG) { google }: Config,
  ) {
    this.clientIds = google.clientIds;
  }

  /** @throws Problem google_sign_in_off, invalid_id_token, identity_provider_unavailable */
  async verify(idToken: string): Promise<GoogleIdentity> {
    if (this.clientIds.length === 0) {
      throw new Problem('google_sign_in_off', 'the operator of this server has set no GOOGLE_CLIENT_IDS');
    }
    const { sub, aud, email, email_verified } = await this.claimsOf(idToken);
    if (typeof sub !== 'string' || sub === '' || sub.length > MOST_SUB) throw refused('it names nobody');
    // One audience: a token for others as well could have been passed on by any of them.
    if (typeof aud !== 'string') throw refused('it is for several apps');
    const verified = email_verified === true && typeof email === 'string';
    return { sub, verifiedEmail: verified ? normalEmail(email) : null };
  }

  private async claimsOf(idToken: string): Promise<JWTPayload> {
    try {
      const { payload } = await jwtVerify(idToken, this.keys.keyFor, {
        // RS256 alone: whoever may choose could choose none, or take the public key for a shared secret (RFC 8725 §2.1).
        algorithms: ['RS256'],
        issuer: ISSUERS,
        audience: this.clientIds,
        requiredClaims: ['sub', 'exp', 'iat'],
        clockTolerance: LEEWAY_SECONDS,
        maxTokenAge: OLDEST_TOKEN,
        currentDate: this.clock.now(),
      });
      return payload;
    } catch (error) {
      throw error instanceof errors.JOSEError ? refused(reasonOf(error)) : error;
    }
  }
}

/** What is wrong, for the developer of an app; never what the token holds. */
function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'it has expired';
  if (error instanceof errors.JWTClaimValidationFailed) return `its ${error.claim} is not accepted`;
  if (error instanceof errors.JOSEAlgNotAllowed) return 'it must be signed with RS256';
  return 'its signature is not one of Google';
}
