import type { IncomingMessage, RequestListener, Server } from 'node:http';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { CONFIG, type Config } from '../config/config.js';
import { BrokenRequests } from './broken-requests.js';
import { Drain } from './drain.js';
import { createHttpServer } from './http-server.js';

const internalRequests = new WeakSet<IncomingMessage>();

/** Whether a request came through the internal listener. */
export const isInternal = (request: IncomingMessage): boolean => internalRequests.has(request);

/** The second listener, for the other servers: the same application, but only its internal routes. */
@Injectable()
export class InternalListener implements OnApplicationShutdown {
  private server: Server | undefined;

  constructor(
    private readonly host: HttpAdapterHost<FastifyAdapter>,
    private readonly drain: Drain,
    private readonly brokenRequests: BrokenRequests,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @param address loopback, or an address of the internal network. @returns the port, for 0 the one that was free */
  async listen(port: number, address: string): Promise<number> {
    const fastify = this.host.httpAdapter.getInstance();
    const listener: RequestListener = (request, response) => {
      internalRequests.add(request);
      fastify.routing(request, response);
    };
    const server = createHttpServer(listener, this.config.http.limits);
    this.server = server;
    this.drain.watch(server);
    this.brokenRequests.watch(server);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, address, resolve);
    });
    const bound = server.address();
    return typeof bound === 'object' && bound ? bound.port : port;
  }

  /** It listens no more, and has no connection: this ends what looks after them. */
  onApplicationShutdown(): void {
    this.server?.close();
  }
}
