import type { IncomingMessage } from 'node:http';
import proxyAddress, { compile } from '@fastify/proxy-addr';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { type Counter, Metrics } from '../common/metrics.js';
import { Problem } from '../common/problem.js';
import { CONFIG, type Config } from '../config/config.js';
import { Drain } from '../http/drain.js';
import { problemOf } from '../http/problem.filter.js';
import { RateLimiter } from '../http/rate-limiter.js';
import type { SocketProtocol } from './protocol.js';

/** What holds for every upgrade before anybody asks whose it is, and what is counted of those that are refused. */
@Injectable()
export class Reception {
  private readonly logger = new Logger('sockets');
  private readonly trusted: ReturnType<typeof compile>;
  private readonly refusals: Counter<'protocol' | 'code'>;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly drain: Drain,
    @Inject(CONFIG) { http }: Config,
    metrics: Metrics,
  ) {
    this.trusted = compile(http.trustedProxies);
    this.refusals = metrics.counter('sockets_refused_total', 'WebSockets that were not let in', ['protocol', 'code']);
  }

  /** @throws Problem rate_limited, or stopping when the process is about to end */
  receive(request: IncomingMessage): void {
    this.requireOpen();
    this.limiter.take('anything', { address: proxyAddress(request, this.trusted) });
  }

  /** @throws Problem stopping when the process is about to end */
  requireOpen(): void {
    if (this.drain.deaf) throw new Problem('stopping', 'connect again', { retryAfterSeconds: 1 });
  }

  /** Somebody is not let in, of no protocol if there is none at that path. What was not expected is logged, and told as nothing. */
  refused(asked: SocketProtocol | undefined, error: unknown): Problem {
    const problem = problemOf(error);
    const protocol = asked?.name ?? 'none';
    this.refusals.inc({ protocol, code: problem.code });
    if (problem.code === 'internal_error') this.logger.error({ protocol, stack: (error as Error).stack });
    return problem;
  }
}
