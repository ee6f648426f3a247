import { Global, Module } from '@nestjs/common';
import { APP_FILTER, APP_GUARD, APP_PIPE } from '@nestjs/core';
import { AccessGuard } from './access.guard.js';
import { BodyPipe } from './body.pipe.js';
import { BrokenRequests } from './broken-requests.js';
import { Drain } from './drain.js';
import { InternalListener } from './internal-listener.js';
import { MetricsController } from './metrics.controller.js';
import { ParameterPipe } from './parameter.pipe.js';
import { ProblemFilter } from './problem.filter.js';
import { RateLimiter } from './rate-limiter.js';
import { RequestHooks } from './request-hooks.js';

/** What every request passes: access, validation, and on failure the problem document. */
@Global()
@Module({
  controllers: [MetricsController],
  providers: [
    RateLimiter,
    Drain,
    BrokenRequests,
    RequestHooks,
    InternalListener,
    { provide: APP_GUARD, useClass: AccessGuard },
    { provide: APP_PIPE, useClass: BodyPipe },
    { provide: APP_PIPE, useClass: ParameterPipe },
    { provide: APP_FILTER, useClass: ProblemFilter },
  ],
  exports: [RateLimiter, Drain],
})
export class HttpModule {}
