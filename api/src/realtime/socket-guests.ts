import { Injectable, Logger } from '@nestjs/common';
import type { RawData } from 'ws';
import { type Counter, Metrics } from '../common/metrics.js';
import { Problem } from '../common/problem.js';
import { problemOf } from '../http/problem.filter.js';
import { RateLimiter } from '../http/rate-limiter.js';
import { type Admitted, CLOSE, DeviceSocket, type Line } from './device-socket.js';
import { readFrame } from './frames.js';
import type { Message } from './lobby.js';
import { Presence } from './presence.js';
import type { Frame, SocketProtocol } from './protocol.js';

/** The connections of those who have been let in: what comes from them, and their end. */
@Injectable()
export class SocketGuests {
  private readonly logger = new Logger('sockets');
  private readonly framesReceived: Counter;
  private readonly framesSent: Counter;
  private readonly closed: Counter<'protocol' | 'code'>;

  constructor(
    private readonly presence: Presence,
    private readonly limiter: RateLimiter,
    metrics: Metrics,
  ) {
    metrics.gauge('sockets', 'Open WebSockets of devices', () => presence.count);
    this.framesReceived = metrics.counter('socket_frames_received_total', 'Frames from devices');
    this.framesSent = metrics.counter('socket_frames_sent_total', 'Frames to devices');
    this.closed = metrics.counter('sockets_closed_total', 'WebSockets that ended, by close code', ['protocol', 'code']);
  }

  /** @param early what the client has sent already */
  begin(line: Line, protocol: SocketProtocol, admitted: Admitted, early: readonly Message[] = []): void {
    const { client } = line;
    if (client.readyState !== client.OPEN) return;
    const connection = new DeviceSocket(protocol, admitted, line, () => this.framesSent.inc());
    const withinLimit = this.limiter.counter('socket_frames', { device: `${protocol.name} ${admitted.device.id}` });
    const isHeard = (): boolean => this.hear(connection, withinLimit);
    const take = (data: Buffer, binary: boolean): void => {
      if (isHeard()) this.take(connection, data, binary);
    };
    client.on('message', (data: RawData, binary: boolean) => take(data as Buffer, binary));
    client.on('ping', isHeard);
    // One that was asked for costs its sender nothing.
    client.on('pong', (payload: Buffer) => connection.answered(String(payload)) || isHeard());
    client.on('close', (code: number) => this.end(connection, code));
    this.presence.enter(connection);
    this.run(connection, () => protocol.opened(connection));
    for (const { data, binary } of early) take(data, binary);
  }

  endAll(code: number, reason: string): void {
    for (const connection of this.presence.connections) connection.close(code, reason);
  }

  /** A frame has come, of whatever kind: false when it is ignored, as is all that still comes from who has been closed. */
  private hear(connection: DeviceSocket, withinLimit: () => boolean): boolean {
    if (!connection.open) return false;
    connection.alive = true;
    if (withinLimit()) return true;
    connection.send(connection.protocol.complaint(new Problem('rate_limited', 'too many frames: connect again later')));
    connection.close(CLOSE.policy, 'rate_limited');
    return false;
  }

  private take(connection: DeviceSocket, data: Buffer, binary: boolean): void {
    this.framesReceived.inc();
    if (binary) connection.close(CLOSE.unsupported, 'send text frames');
    else this.receive(connection, data);
  }

  private receive(connection: DeviceSocket, data: Buffer): void {
    let frame: Frame | undefined;
    const failed = (error: unknown): void => this.complain(connection, error, frame);
    try {
      frame = readFrame(data);
      connection.protocol.received(connection, frame, data.length)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  private end(connection: DeviceSocket, code: number): void {
    const { protocol, cutForReading } = connection;
    connection.ended();
    this.presence.leave(connection);
    this.closed.inc({ protocol: protocol.name, code: cutForReading ? 'slow' : nameOf(code) });
    this.run(connection, () => protocol.closed(connection));
  }

  /** What the protocol throws is the client's to know. */
  private run(connection: DeviceSocket, work: () => void | Promise<void>): void {
    try {
      work()?.catch((error: unknown) => this.complain(connection, error));
    } catch (error) {
      this.complain(connection, error);
    }
  }

  private complain(connection: DeviceSocket, error: unknown, frame?: Frame): void {
    const problem = error instanceof Problem ? error : problemOf(error);
    const { protocol } = connection;
    if (problem.code === 'internal_error')
      this.logger.error({ protocol: protocol.name, stack: (error as Error).stack });
    connection.send(protocol.complaint(problem, frame));
  }
}

/** Clients choose their codes: those that mean something to an operator are told apart. */
const nameOf = (code: number): number | 'other' => (code >= 1000 && code <= 1015 ? code : 'other');
