import { STATUS_CODES } from 'node:http';
import type { Problem } from '../common/problem.js';
import { SECURITY_HEADERS } from './headers.js';
import { documentOf } from './problem.filter.js';

/** The text of an answer to what reaches no route: a problem document, and the end of the connection. */
export function rawAnswer(problem: Problem, requestId: string): string {
  const body = JSON.stringify(documentOf(problem, requestId));
  const { retryAfterSeconds } = problem.options;
  const headers = Object.entries({
    ...SECURITY_HEADERS,
    'x-request-id': requestId,
    'content-type': 'application/problem+json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    connection: 'close',
    ...(problem.status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(retryAfterSeconds ? { 'retry-after': retryAfterSeconds } : {}),
  });
  const lines = headers.map(([name, value]) => `${name}: ${value}`);
  return [`HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status]}`, ...lines, '', body].join('\r\n');
}
