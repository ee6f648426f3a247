import { once } from 'node:events';
import type { Server, ServerResponse } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';
import { type BeforeApplicationShutdown, Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Metrics } from '../common/metrics.js';
import { CONFIG, type Config } from '../config/config.js';

/** How long a connection on which nothing is asked stays open for a request that may be on its way. */
const LINGER_MS = 1000;
/** How long requests may take to be answered before their connections are cut: longer than three deadlines of a neighbour. */
const ANSWERS_MS = 16_000;
/** A turn of the event loop in which nothing is done takes a tenth of it. */
const QUIET_TURN_MS = 0.05;
/** There may be no quiet turn: the listener is not kept open for ever. */
const MOST_QUEUEING_MS = 500;

/**
 * Ends the listeners without failing a request. While it lasts, every answer carries `Connection: close` (RFC 9112, 9.6),
 * so that clients and proxies open their next connection to whoever listens then. A request that came before the
 * listener closed, or comes on a connection from before, is answered like any other.
 */
@Injectable()
export class Drain implements OnModuleDestroy, BeforeApplicationShutdown {
  private readonly delayMs: number;
  private readonly servers: Server[] = [];
  /**
   * Each connection with the last of its answers that is still to come. One entry a connection, not one a request: a table
   * that grows and shrinks with each request is made anew every few, and what the old ones hold outlives its time.
   */
  private readonly connections = new Map<Socket, ServerResponse | undefined>();
  private drained: Promise<void> | undefined;
  private readonly onceDeaf: (() => void)[] = [];
  private listening = true;

  constructor(@Inject(CONFIG) { http }: Config, metrics: Metrics) {
    metrics.gauge('http_connections', 'Open connections of both listeners', () => this.connections.size);
    this.delayMs = http.drainSeconds * 1000;
  }

  /** Whether the application is about to end: no proxy should send anything new. */
  get begun(): boolean {
    return this.drained !== undefined;
  }

  /** Whether the listeners are closed. */
  get deaf(): boolean {
    return !this.listening;
  }

  /** `work` runs when the listeners have closed: it ends connections that no answer ends. */
  onDeaf(work: () => void): void {
    this.onceDeaf.push(work);
  }

  /** This listener is one of those to be ended. */
  watch(server: Server): void {
    this.servers.push(server);
    server.on('connection', (socket) => {
      this.connections.set(socket, undefined);
      socket.once('close', () => this.connections.delete(socket));
    });
  }

  /** A request has begun on this connection. */
  received(socket: Socket, response: ServerResponse): void {
    if (this.connections.has(socket)) this.connections.set(socket, response);
    if (this.begun) announceEnd(response);
  }

  /** A request has its answer, or nobody waits for it any more. */
  answered(socket: Socket, response: ServerResponse): void {
    if (this.connections.get(socket) === response) this.connections.set(socket, undefined);
  }

  onModuleDestroy(): void {
    this.drained ??= this.drain();
  }

  /** Resolves when no connection is left. What the handlers need lives until then. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.drained;
  }

  private async drain(): Promise<void> {
    for (const response of this.connections.values()) if (response) announceEnd(response);
    const listening = this.servers.filter((server) => server.listening);
    if (listening.length > 0 && this.delayMs > 0) await delay(this.delayMs);
    const newcomers = listening.map((server) => new Newcomers(server));
    await emptyQueues(newcomers);
    for (const server of listening) stopListening(server);
    for (const waiting of newcomers) waiting.letIn();
    this.listening = false;
    for (const work of this.onceDeaf) work();
    await this.closed(LINGER_MS);
    await this.cut((response) => response === undefined);
    await this.closed(ANSWERS_MS);
    await this.cut(() => true);
  }

  /** Resolves when every connection is closed, after `patienceMs` at the latest. */
  private async closed(patienceMs: number): Promise<void> {
    const deadline = AbortSignal.timeout(patienceMs);
    for (const socket of this.connections.keys()) {
      if (!socket.destroyed) await once(socket, 'close', { signal: deadline }).catch(() => {});
    }
  }

  private async cut(which: (response: ServerResponse | undefined) => boolean): Promise<void> {
    // What has arrived is read first.
    await nextTurn();
    for (const [socket, response] of this.connections) if (which(response)) socket.destroy();
  }
}

/** Connections that come while a listener is about to close: taken, and not read from, which would hold up the others. */
class Newcomers {
  private readonly waiting: Socket[] = [];
  private readonly received: ((socket: Socket) => void)[];

  constructor(private readonly server: Server) {
    this.received = server.rawListeners('connection') as ((socket: Socket) => void)[];
    server.removeAllListeners('connection');
    server.on('connection', (socket) => this.waiting.push(socket.on('error', ignore)));
  }

  get count(): number {
    return this.waiting.length;
  }

  letIn(): void {
    this.server.removeAllListeners('connection');
    for (const listener of this.received) this.server.on('connection', listener);
    for (const socket of this.waiting) {
      socket.off('error', ignore);
      if (!socket.destroyed) this.server.emit('connection', socket);
    }
  }
}

/** Who has gone away again before being let in. */
const ignore = (): void => {};

/**
 * Takes the connections that the system has made already, which would be reset with the listener: waits for a turn of
 * the event loop in which nothing comes and nothing is done, so that hardly any can have come since.
 */
async function emptyQueues(newcomers: readonly Newcomers[]): Promise<void> {
  const taken = () => newcomers.reduce((sum, { count }) => sum + count, 0);
  const deadline = performance.now() + MOST_QUEUEING_MS;
  for (let now = performance.now(); now < deadline; ) {
    const [began, before] = [now, taken()];
    await nextTurn();
    now = performance.now();
    if (taken() === before && now - began < QUIET_TURN_MS) return;
  }
}

/** The connection ends with this answer. */
function announceEnd(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

/** `close()` of an HTTP server would cut connections on which a request may be on its way. */
function stopListening(server: Server): void {
  NetServer.prototype.close.call(server);
}
