import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpLimits } from '../config/http.config.js';

/** Headers of a request. Node forgets what is beyond; http/request-hooks.ts refuses it. */
export const MOST_HEADERS = 100;

/** An HTTP server that no client can hold up: by sending slowly, by sending much, or by reading nothing. */
export function createHttpServer(listener: RequestListener, limits: HttpLimits): Server {
  const server: Server = createServer(
    {
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.keepAliveMs,
      connectionsCheckingInterval: limits.checkMs,
      maxHeaderSize: limits.headerBytes,
      // Node would answer it without a word; http/request-hooks.ts refuses it as it does everything.
      requireHostHeader: false,
      // Whatever else a client offers to speak may be ignored (RFC 9110, 7.8): curl offers HTTP/2.
      shouldUpgradeCallback: ({ headers }) =>
        server.listenerCount('upgrade') > 0 && headers.upgrade?.toLowerCase() === 'websocket',
    },
    listener,
  );
  server.maxHeadersCount = MOST_HEADERS + 1;
  server.maxConnections = limits.connections;
  // Any expectation may be ignored (RFC 9110, 10.1.1).
  server.on('checkExpectation', listener);
  cutStalled(server, limits);
  return server;
}

/**
 * Cuts who reads nothing of an answer: what waits for such a client is held in memory. The timeout begins where
 * something waits: Node's for a whole server would set a timer twice in every request.
 */
function cutStalled(server: Server, { stalledMs, checkMs }: HttpLimits): void {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const check = (): void => {
    for (const socket of sockets) if (socket.writableLength > 0 && !socket.timeout) socket.setTimeout(stalledMs);
  };
  const timer = setInterval(check, checkMs).unref();
  server.once('close', () => clearInterval(timer));
}
