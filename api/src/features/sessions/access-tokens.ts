import { createSecretKey, type KeyObject } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import { JwtService } from '@nestjs/jwt';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { CONFIG, type Config } from '../../config/config.js';

/** What an access token says (RFC 7519), besides iss, aud, jti and the times. */
export interface Claims {
  sub: string;
  jid: string;
  sid: string;
}

const AUDIENCE = 'veil';

/** Signs access tokens with the newest key, and accepts those of the key before it, so that keys can be replaced. */
@Injectable()
export class AccessTokens {
  /** Seconds that a token lives. */
  readonly lifetimeSeconds: number;
  private readonly services: JwtService[];

  constructor(
    private readonly clock: Clock,
    @Inject(CONFIG) { addresses, identity }: Config,
  ) {
    this.lifetimeSeconds = identity.tokenTtlSeconds;
    this.services = identity.secrets.map((secret) =>
      serviceOf(createSecretKey(secret.reveal(), 'utf8'), addresses.xmppDomain),
    );
  }

  sign(claims: Claims): string {
    const issuedAt = this.clock.seconds();
    const payload = { ...claims, jti: newId(), iat: issuedAt, exp: issuedAt + this.lifetimeSeconds };
    return (this.services[0] as JwtService).sign(payload);
  }

  /** The claims of a token that is ours and has not expired; null for anything else. */
  verify(token: string): Claims | null {
    for (const service of this.services) {
      try {
        return service.verify<Claims>(token, { clockTimestamp: this.clock.seconds() });
      } catch {
        // Perhaps the other key signed it.
      }
    }
    return null;
  }
}

function serviceOf(key: KeyObject, issuer: string): JwtService {
  return new JwtService({
    // A KeyObject: verifying with it takes a quarter of the time that a string takes.
    secret: key as unknown as Buffer,
    signOptions: { algorithm: 'HS256', issuer, audience: AUDIENCE },
    verifyOptions: { algorithms: ['HS256'], issuer, audience: AUDIENCE },
  });
}
