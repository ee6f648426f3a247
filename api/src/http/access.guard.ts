import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Inject, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { Problem } from '../common/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import {
  AUDIENCE,
  type Audience,
  type AuthenticatedRequest,
  Authenticator,
  bearerToken,
  RATE_LIMIT,
} from './access.js';
import { isInternal } from './internal-listener.js';
import { RateLimiter } from './rate-limiter.js';
import type { RateLimitName } from './rate-limits.js';

type Handler = ReturnType<ExecutionContext['getHandler']>;
interface Policy {
  audience: Audience;
  rateLimit: RateLimitName | undefined;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/**
 * Decides whether a request reaches its handler, closed by default: the right listener, then who calls, then how often.
 */
@Injectable()
export class AccessGuard implements CanActivate {
  private readonly policies = new Map<Handler, Policy>();
  private readonly internalSecret: Buffer;

  constructor(
    private readonly reflector: Reflector,
    private readonly authenticator: Authenticator,
    private readonly limiter: RateLimiter,
    @Inject(CONFIG) config: Config,
  ) {
    this.internalSecret = digest(config.http.internalSecret.reveal());
  }

  /** Answers at once where nothing has to be looked up: a promise costs every public request its turn. */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    const request = context.switchToHttp().getRequest<AuthenticatedRequest>();
    const { audience, rateLimit } = this.policyOf(context);
    // A route of the other listener does not exist here: nobody learns that it is there.
    if ((audience === 'internal') !== isInternal(request.raw)) throw new Problem('not_found', 'no such route');
    if (audience === 'account') return this.admitAccount(request, rateLimit);
    if (audience === 'internal') this.requireInternalSecret(bearerToken(request.headers.authorization));
    return this.admit(request, rateLimit);
  }

  private async admitAccount(request: AuthenticatedRequest, rateLimit: RateLimitName | undefined): Promise<boolean> {
    request.caller = await this.authenticate(bearerToken(request.headers.authorization));
    return this.admit(request, rateLimit);
  }

  private admit(request: AuthenticatedRequest, rateLimit: RateLimitName | undefined): boolean {
    if (rateLimit) this.limiter.take(rateLimit, { address: request.ip, account: request.caller?.accountId });
    return true;
  }

  private policyOf(context: ExecutionContext): Policy {
    const handler = context.getHandler();
    const known = this.policies.get(handler);
    if (known) return known;
    const targets = [handler, context.getClass()];
    const policy = {
      audience: this.reflector.getAllAndOverride<Audience | undefined>(AUDIENCE, targets) ?? 'account',
      rateLimit: this.reflector.getAllAndOverride<RateLimitName | undefined>(RATE_LIMIT, targets),
    };
    this.policies.set(handler, policy);
    return policy;
  }

  private requireInternalSecret(token: string | undefined): void {
    if (!token || !timingSafeEqual(digest(token), this.internalSecret)) {
      throw new Problem('unauthenticated', 'the internal secret is missing or wrong');
    }
  }

  private authenticate(token: string | undefined) {
    if (!token) throw new Problem('unauthenticated', 'an Authorization header with a Bearer token is required');
    return this.authenticator.authenticate(token);
  }
}
