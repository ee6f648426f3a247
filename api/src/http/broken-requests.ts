import type { Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Injectable, Logger } from '@nestjs/common';
import { type Counter, Metrics } from '../common/metrics.js';
import { Problem, type ProblemCode } from '../common/problem.js';
import { rawAnswer } from './raw-answer.js';
import { newRequestId } from './request-id.js';

/** How Node says that the bytes of a client are no request. Whatever else it says is `malformed_request`. */
const CODE_OF_ERROR: Record<string, ProblemCode> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request_timeout',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 'payload_too_large',
};

const DETAIL_OF_CODE: Partial<Record<ProblemCode, string>> = {
  request_timeout: 'send the request faster',
  headers_too_large: 'send fewer or shorter headers',
  payload_too_large: 'send chunks without extensions',
};

/** The client has this time to read why it was refused; it is cut off then, whatever it still sends. */
const LINGER_MS = 1000;

type ParserError = Error & { code?: string };

/** Answers what is no request, and therefore reaches no route: with a problem document, and with nothing of what was sent. */
@Injectable()
export class BrokenRequests {
  private readonly logger = new Logger('http');
  private readonly broken: Counter<'code'>;
  private readonly dropped: Counter;

  constructor(metrics: Metrics) {
    this.broken = metrics.counter('http_broken_requests_total', 'What came and was no HTTP request', ['code']);
    this.dropped = metrics.counter('http_connections_dropped_total', 'Connections beyond MAX_CONNECTIONS');
  }

  /** What comes to this listener. */
  watch(server: Server): void {
    server.on('clientError', (error: ParserError, socket) => this.refuse(error, socket));
    server.on('drop', () => this.dropped.inc());
  }

  private refuse({ code: reason = '' }: ParserError, socket: Duplex): void {
    // Refused before, gone already, or in the middle of an answer.
    if (socket.writableEnded || !socket.writable || answerOn(socket)?.headersSent) {
      socket.destroy();
      return;
    }
    const code = CODE_OF_ERROR[reason] ?? 'malformed_request';
    const requestId = newRequestId();
    this.broken.inc({ code });
    this.logger.log({ request_id: requestId, code, reason });
    socket.end(rawAnswer(new Problem(code, DETAIL_OF_CODE[code] ?? 'this is not HTTP/1.1'), requestId));
    setTimeout(() => socket.destroy(), LINGER_MS).unref();
  }
}

/** The answer that is under way on a connection: Node itself looks for it there. */
const answerOn = (socket: Duplex): ServerResponse | undefined =>
  (socket as Duplex & { _httpMessage?: ServerResponse })._httpMessage;
