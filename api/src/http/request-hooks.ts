import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Drain } from './drain.js';
import type { RateLimiter } from './rate-limiter.js';

/** Headers of every answer: nothing here is a page, is to be framed, sniffed or cached. */
const SECURITY_HEADERS = {
  'cache-control': 'no-store',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
};

/** The documentation is the one page: it loads its own scripts and styles. */
const DOCUMENTATION = /^\/docs(\/|$)/;
const DOCUMENTATION_POLICY =
  "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'";

const PROCESS_PREFIX = randomBytes(4).toString('hex');
let requests = 0;

/** A request id that is unique across processes and restarts, without the cost of a random one each time. */
export const newRequestId = (): string => `${PROCESS_PREFIX}-${(++requests).toString(36)}`;

/** Gives every request its limits and headers, and one log line when it is done: the route, never the URL, which may hold a token. */
export function addRequestHooks(fastify: FastifyInstance, limiter: RateLimiter, drain: Drain): void {
  fastify.addHook('onRequest', (request, reply, done) => {
    drain.received(reply.raw);
    reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (DOCUMENTATION.test(request.url)) reply.header('content-security-policy', DOCUMENTATION_POLICY);
    try {
      limiter.take('anything', { address: request.ip });
      done();
    } catch (error) {
      done(error as Error);
    }
  });
  fastify.addHook('onResponse', (request, reply, done) => {
    drain.answered(reply.raw);
    logRequest(request, reply);
    done();
  });
}

function logRequest(request: FastifyRequest, reply: FastifyReply): void {
  const route = request.routeOptions.url ?? 'unknown';
  if (route.endsWith('/health') || route.endsWith('/health/ready')) return;
  request.log.info({
    request_id: request.id,
    method: request.method,
    route,
    status: reply.statusCode,
    ms: Math.round(reply.elapsedTime * 10) / 10,
  });
}
