import { applyDecorators, createParamDecorator, type ExecutionContext, SetMetadata } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Problems } from './openapi.js';
import type { RateLimitName } from './rate-limits.js';

/** Who may call a route: everybody, an account with its token, or the other servers through the internal listener. */
export type Audience = 'public' | 'account' | 'internal';

export const AUDIENCE = 'veil:audience';
export const RATE_LIMIT = 'veil:rate-limit';

/** The route answers without authentication. Routes that say nothing require an account. */
export const Public = () => SetMetadata(AUDIENCE, 'public' satisfies Audience);

/** The route answers on the internal listener only, to callers that hold the internal secret. */
export const Internal = () => SetMetadata(AUDIENCE, 'internal' satisfies Audience);

/** Counts calls of the route against a limit of the rate-limit table, and documents the answer to one too many. */
export const RateLimited = (name: RateLimitName) =>
  applyDecorators(SetMetadata(RATE_LIMIT, name), Problems('rate_limited'));

/** The account that a token speaks for. */
export interface Caller {
  accountId: string;
  username: string;
  jid: string;
  sessionId: string;
  /** The session's own, whether or not the registry has it. */
  deviceId: string;
}

/** Says whose a token is; the account feature does it. @throws Problem unauthenticated */
export abstract class Authenticator {
  abstract authenticate(token: string): Promise<Caller>;
}

export type AuthenticatedRequest = FastifyRequest & { caller?: Caller };

/** The caller of a route that requires an account. */
export const CurrentCaller = createParamDecorator((_: unknown, context: ExecutionContext): Caller => {
  const { caller } = context.switchToHttp().getRequest<AuthenticatedRequest>();
  if (!caller) throw new Error('a public route asked for its caller');
  return caller;
});

const BEARER = /^Bearer (\S{1,4096})$/i;

/** The token of an Authorization header (RFC 6750 §2.1), if there is one. */
export const bearerToken = (header: string | undefined): string | undefined => header && BEARER.exec(header)?.[1];
