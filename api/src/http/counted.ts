import {
  type CallHandler,
  type ExecutionContext,
  Injectable,
  mixin,
  type NestInterceptor,
  UseInterceptors,
} from '@nestjs/common';
import { type Observable, tap } from 'rxjs';
import { type Counter, Metrics } from '../common/metrics.js';
import { problemOf } from './problem.filter.js';

/**
 * Counts how a route's requests end, as `veil_<name>_total` with the outcome `ok` or the code of the problem. What is
 * refused before the body is looked at counts elsewhere: by limit, or by status.
 */
export function Counted(name: string): MethodDecorator {
  @Injectable()
  class OutcomeCounter implements NestInterceptor {
    private readonly outcomes: Counter<'outcome'>;

    constructor(metrics: Metrics) {
      this.outcomes = metrics.counter(`${name}_total`, 'Requests by how they ended', ['outcome']);
    }

    intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
      const count = (outcome: string): void => this.outcomes.inc({ outcome });
      return next.handle().pipe(tap({ next: () => count('ok'), error: (error) => count(problemOf(error).code) }));
    }
  }
  return UseInterceptors(mixin(OutcomeCounter));
}
