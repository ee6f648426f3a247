import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { FaultPlan } from './fault-plan.js';

/** A proxy before an HTTP server on loopback that can fail at any request: each request is a step, named by its path. */
export class HttpFaultProxy {
  readonly plan = new FaultPlan();
  private readonly server: Server;

  private constructor(private readonly targetPort: number) {
    this.server = createServer((incoming, outgoing) => {
      this.pass(incoming, outgoing).catch(() => outgoing.destroy());
    });
  }

  static async start(targetPort: number): Promise<HttpFaultProxy> {
    const proxy = new HttpFaultProxy(targetPort);
    await new Promise<void>((resolve) => proxy.server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve));
    this.server.closeAllConnections();
    await closed;
  }

  private async pass(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    this.plan.enter();
    outgoing.once('close', () => this.plan.leave());
    const body = await buffer(incoming);
    const fault = this.plan.next(incoming.url ?? '');
    if (fault === 'refuse') outgoing.destroy();
    if (fault === 'refuse' || fault === 'hang') return;
    const { answer, content } = await this.forward(incoming, body);
    if (fault === 'apply_then_cut') outgoing.destroy();
    else outgoing.writeHead(answer.statusCode ?? 502, answer.headers).end(content);
  }

  private async forward({ method, url, headers }: IncomingMessage, body: Buffer) {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // The Host header goes through unchanged: ejabberd looks its domain up by it.
    request({ host: '127.0.0.1', port: this.targetPort, method, path: url, headers, agent: false }, resolve)
      .on('error', reject)
      .end(body);
    const answer = await promise;
    return { answer, content: await buffer(answer) };
  }
}
