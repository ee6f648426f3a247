import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { FastifyInstance } from 'fastify';

const internalRequests = new WeakSet<IncomingMessage>();

/** Whether a request came through the internal listener. */
export const isInternal = (request: IncomingMessage): boolean => internalRequests.has(request);

/**
 * Opens the second listener, for the other servers: the same application, but only its internal routes.
 * @param address loopback, or an address of the internal network
 */
export function listenInternally(fastify: FastifyInstance, port: number, address: string): Promise<Server> {
  const server = createServer({ requestTimeout: 10_000, headersTimeout: 5000 }, (request, response) => {
    internalRequests.add(request);
    fastify.routing(request, response);
  });
  fastify.addHook('preClose', (done: () => void) => {
    server.close();
    server.closeIdleConnections();
    done();
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, address, () => resolve(server));
  });
}
