import { Injectable } from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Histogram, Metrics } from '../common/metrics.js';
import { Problem } from '../common/problem.js';
import { AnswersInARow } from './answers-in-a-row.js';
import { Drain } from './drain.js';
import { DOCUMENTATION_POLICY, SECURITY_HEADERS } from './headers.js';
import { MOST_HEADERS } from './http-server.js';
import { isInternal } from './internal-listener.js';
import { RateLimiter } from './rate-limiter.js';

const DOCUMENTATION = /^\/docs(\/|$)/;

/** Asked for every few seconds, and of no interest afterwards. */
const NOT_LOGGED = new Set(['/health', '/health/ready', '/metrics']);

type Done = (error?: Error) => void;

/** Gives every request its headers and limits, and when it is over its measurement and one log line. */
@Injectable()
export class RequestHooks {
  private readonly seconds: Histogram<'method' | 'route' | 'status'>;
  private readonly answers = new AnswersInARow();
  private running = 0;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly drain: Drain,
    metrics: Metrics,
  ) {
    this.seconds = metrics.histogram('http_request_seconds', 'How long a request took', ['method', 'route', 'status']);
    metrics.gauge('http_requests_running', 'Requests that have no answer yet', () => this.running);
  }

  attach(adapter: FastifyAdapter): void {
    // Before all others, those of CORS too: nothing is answered without these headers, and nothing goes unseen.
    adapter.setOnRequestHook((request: FastifyRequest, reply: FastifyReply, done: Done) => {
      this.begin(request, reply);
      done();
    });
    // After them: a browser must be allowed to read that it was refused.
    adapter.getInstance().addHook('onRequest', (request, _reply, done) => done(this.refusalOf(request)));
    adapter.getInstance().addHook('onSend', (request, reply, _payload, done) =>
      this.answers.add({
        send: done,
        failed: (error) => {
          request.log.error({ request_id: request.id, err: error }, 'an answer was not sent');
          reply.raw.destroy();
        },
      }),
    );
  }

  /** A request begins. What fails before a route is found must be told to this by whoever answers it. */
  begin(request: FastifyRequest, reply: FastifyReply): void {
    const startedAt = performance.now();
    this.running += 1;
    this.drain.received(request.raw.socket, reply.raw);
    // Also when the client goes away without an answer.
    reply.raw.on('close', () => this.end(request, reply, performance.now() - startedAt));
    reply.headers(SECURITY_HEADERS).header('x-request-id', request.id);
    if (DOCUMENTATION.test(request.url)) reply.header('content-security-policy', DOCUMENTATION_POLICY);
  }

  private end(request: FastifyRequest, reply: FastifyReply, ms: number): void {
    this.running -= 1;
    this.drain.answered(request.raw.socket, reply.raw);
    // The route, never the URL: that may hold a token, and has no end of values.
    const route = request.routeOptions.url;
    const { method } = request;
    const status = reply.raw.writableFinished ? reply.statusCode : 'aborted';
    const labels = route === undefined ? { method: 'any', route: 'unknown', status } : { method, route, status };
    this.seconds.observe(labels, ms / 1000);
    if (route !== undefined && NOT_LOGGED.has(route)) return;
    request.log.info({ request_id: request.id, method, route: labels.route, status, ms: Math.round(ms * 10) / 10 });
  }

  private refusalOf(request: FastifyRequest): Error | undefined {
    const { rawHeaders, headers, httpVersion } = request.raw;
    if (rawHeaders.length > 2 * MOST_HEADERS) {
      return new Problem('headers_too_large', `send at most ${MOST_HEADERS} headers`);
    }
    if (headers.host === undefined && httpVersion === '1.1') return new Problem('malformed_request', 'name the host');
    if (isInternal(request.raw)) return undefined;
    try {
      this.limiter.take('anything', { address: request.ip });
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }
}
