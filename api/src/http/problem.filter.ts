import { type ArgumentsHost, Catch, type ExceptionFilter, HttpException, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Problem, type ProblemCode } from '../common/problem.js';
import { databaseErrorCode, isDatabaseUnavailable } from '../database/database-errors.js';

/** What Fastify and Nest refuse before or around a handler, by HTTP status. */
const CODE_OF_STATUS: Record<number, ProblemCode> = {
  400: 'malformed_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  405: 'method_not_allowed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  429: 'rate_limited',
};

const DETAIL_OF_CODE: Partial<Record<ProblemCode, string>> = {
  malformed_request: 'the body must be valid JSON, and the URL well-formed and of sensible length',
  not_found: 'no such route',
  payload_too_large: 'the body may hold 64 KiB',
  unsupported_media_type: 'send application/json',
};

/** The one way out of every failed request: an RFC 9457 document. What was not expected is logged and shown as nothing. */
@Catch()
export class ProblemFilter implements ExceptionFilter {
  private readonly logger = new Logger('http');

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    const problem = problemOf(error);
    if (problem.status >= 500) this.logFailure(problem, error, request.id);
    sendProblem(problem, request, reply);
  }

  private logFailure(problem: Problem, error: unknown, requestId: string): void {
    const unexpected = problem.code === 'internal_error' && error instanceof Error ? error.stack : undefined;
    const cause = problem.code === 'database_unavailable' ? databaseErrorCode(problem.options.cause) : undefined;
    this.logger.error({ request_id: requestId, code: problem.code, detail: problem.detail, cause, stack: unexpected });
  }
}

/** Answers what was thrown outside of Nest. */
export function sendError(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
  sendProblem(problemOf(error), request, reply);
}

function sendProblem(problem: Problem, request: FastifyRequest, reply: FastifyReply): void {
  if (problem.options.retryAfterSeconds) reply.header('retry-after', problem.options.retryAfterSeconds);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer');
  reply.status(problem.status).type('application/problem+json').send(documentOf(problem, request.id));
}

export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  if (isDatabaseUnavailable(error)) {
    return new Problem('database_unavailable', 'nothing was changed that you were told of; try again', {
      retryAfterSeconds: 1,
      cause: error,
    });
  }
  const status = statusOf(error);
  const code = CODE_OF_STATUS[status] ?? (status < 500 ? 'malformed_request' : undefined);
  if (code) return new Problem(code, DETAIL_OF_CODE[code] ?? 'the request was refused');
  return new Problem('internal_error', 'the failure was logged under this request id');
}

function statusOf(error: unknown): number {
  if (error instanceof HttpException) return error.getStatus();
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  return typeof status === 'number' ? status : 500;
}

export const documentOf = (problem: Problem, requestId: string) => ({
  type: `urn:veil:problem:${problem.code}`,
  title: problem.title,
  status: problem.status,
  detail: problem.detail,
  code: problem.code,
  request_id: requestId,
  ...(problem.options.faults ? { errors: problem.options.faults } : {}),
});
