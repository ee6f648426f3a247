import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { Certificate } from './certificate.js';
import { type Answer, Script } from './script.js';

export interface HttpsRequest {
  method: string;
  path: string;
  headers: IncomingMessage['headers'];
  body: Buffer;
}

/** An HTTPS server with an authority of its own, which a fake answers through. */
export abstract class FakeHttps {
  readonly script = new Script();
  protected readonly certificate = Certificate.share();
  private readonly sockets = new Set<Socket>();
  private server: Server | undefined;
  private port = 0;

  /** Takes a request, or says what is wrong with it. */
  protected abstract answer(request: HttpsRequest): Promise<Answer>;

  get origin(): string {
    return `https://localhost:${this.port}`;
  }

  /** Listens, on the same port as before. @param certificate another than the one that is trusted */
  async up(certificate = this.certificate): Promise<void> {
    this.server = createServer(certificate.options, (request, response) => void this.take(request, response));
    this.server.on('connection', (socket: Socket) => {
      this.sockets.add(socket);
      socket.on('close', () => this.sockets.delete(socket)).on('error', () => {});
    });
    this.server.on('tlsClientError', () => {});
    await once(this.server.listen(this.port, '127.0.0.1'), 'listening');
    this.port = (this.server.address() as AddressInfo).port;
  }

  async down(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    const { server } = this;
    this.server = undefined;
    if (server) await new Promise((resolve) => server.close(resolve));
  }

  async stop(): Promise<void> {
    await this.down();
    this.certificate.release();
  }

  private async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await buffer(request).catch(() => Buffer.alloc(0));
    const { method = '', url = '', headers } = request;
    const answer = await this.answer({ method, path: url, headers, body });
    if (answer === 'silence') return;
    if (answer === 'reset') {
      request.socket.destroy();
      return;
    }
    const isText = answer.body === undefined || typeof answer.body === 'string';
    const type = isText ? {} : { 'content-type': 'application/json; charset=UTF-8' };
    response.writeHead(answer.status, { ...type, ...answer.headers });
    response.end(isText ? answer.body : JSON.stringify(answer.body));
  }
}
