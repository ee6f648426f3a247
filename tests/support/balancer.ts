import { Agent, createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/** How often a request is offered to all processes in turn, and the pause before it is offered again. */
const ROUNDS = 100;
const PAUSE_MS = 20;

/**
 * A reverse proxy before several processes, as simple as they get: it keeps connections, and offers a request to the
 * next process only when a connection was refused, since that one can't have seen it. Any other failure is a 502.
 */
export class Balancer {
  private readonly agent = new Agent({ keepAlive: true });
  private readonly server: Server;
  private turn = 0;

  private constructor(private readonly ports: readonly number[]) {
    this.server = createServer((incoming, outgoing) => {
      this.pass(incoming, outgoing).catch((error: NodeJS.ErrnoException) => {
        outgoing.writeHead(502, { 'content-type': 'text/plain' }).end(error.code ?? error.message);
      });
    });
  }

  static async start(ports: readonly number[]): Promise<Balancer> {
    const balancer = new Balancer(ports);
    await new Promise<void>((resolve) => balancer.server.listen(0, '127.0.0.1', resolve));
    return balancer;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    this.agent.destroy();
    await closed;
  }

  private async pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const body = await buffer(incoming);
    const answer = await this.offer(incoming, body);
    const content = await buffer(answer);
    const { connection, 'keep-alive': _, ...headers } = answer.headers;
    outgoing.writeHead(answer.statusCode ?? 502, headers).end(content);
  }

  private async offer(incoming: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    for (let attempt = 1; ; attempt += 1) {
      this.turn += 1;
      const port = this.ports[this.turn % this.ports.length]!;
      try {
        return await this.forward(port, incoming, body);
      } catch (error) {
        const refused = (error as NodeJS.ErrnoException).code === 'ECONNREFUSED';
        if (!refused || attempt >= ROUNDS * this.ports.length) throw error;
        if (attempt % this.ports.length === 0) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
      }
    }
  }

  private forward(port: number, { method, url, headers }: IncomingMessage, body: Buffer): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    const { connection, ...passed } = headers;
    request({ host: '127.0.0.1', port, method, path: url, headers: passed, agent: this.agent }, resolve)
      .on('error', reject)
      .end(body);
    return promise;
  }
}
