import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Problem } from '../../common/problem.js';
import type { KnownDevice } from '../../realtime/device-directory.js';
import { INVALID_JSON } from '../../realtime/frames.js';
import { Presence } from '../../realtime/presence.js';
import { type Challenge, type Connection, type Frame, SocketProtocol, type Way } from '../../realtime/protocol.js';
import { SocketServer } from '../../realtime/socket-server.js';
import { isProved } from '../devices/device-key.js';
import { TurnService } from '../turn/turn.service.js';
import { Reach } from './reach.js';
import { about, MOST_BYTES, readSignal, type Signal } from './signaling-frames.js';

const CONTEXT = 'lem-signaling-connect-v1';
const CHALLENGE_BYTES = 32;

/** What is larger than a frame may be is still answered, up to here. */
const MOST_ANSWERED_BYTES = 4 * MOST_BYTES;

/** Frames of one sender that wait until it is known whether they may go. */
const MOST_WAITING = 256;

const TOO_LARGE = new Problem('payload_too_large', 'Message exceeds 64 KB limit');

/** WebRTC signalling between devices of one account, and of contacts: docs/signaling.md. */
@Injectable()
export class SignalingGateway extends SocketProtocol {
  readonly name = 'signal';
  readonly paths = ['/signal'];
  readonly maxFrameBytes = MOST_ANSWERED_BYTES;

  /** How many frames of a sender wait until it is known whether they may go. */
  private readonly waiting = new WeakMap<Connection, number>();

  constructor(
    private readonly presence: Presence,
    private readonly reach: Reach,
    private readonly turn: TurnService,
    sockets: SocketServer,
  ) {
    super();
    sockets.serve(this);
  }

  /** Clients of the field are refused by a close frame. */
  override refusesByClosing(way: Way): boolean {
    return way === 'query';
  }

  /** A device that has proved its key proves it again. A token can give it another key; then whoever has the old one is refused, and notices. */
  override challenge({ id: deviceId, provenKey }: KnownDevice): Challenge | undefined {
    if (provenKey === null) return undefined;
    const challenge = randomBytes(CHALLENGE_BYTES).toString('base64');
    return {
      frame: { type: 'challenge', challenge, context: CONTEXT },
      accepts: ({ type, signature }) =>
        type === 'auth-response' &&
        typeof signature === 'string' &&
        isProved(provenKey, { context: CONTEXT, deviceId, challenge, signature }),
    };
  }

  override opened(connection: Connection): void {
    const { username, password, uris } = this.turn.credentials(connection.caller);
    connection.send({
      type: 'connected',
      device_id: connection.device.id,
      message: 'Connected to signaling server',
      ice_servers: [{ urls: uris, username, credential: password }],
    });
  }

  override received(connection: Connection, frame: Frame, bytes: number): void | Promise<void> {
    const signal = bytes > MOST_BYTES ? TOO_LARGE : readSignal(frame, connection.device.id);
    if (signal instanceof Problem) {
      connection.send(this.complaint(signal, frame));
      return;
    }
    // A database that is slow must not fill the memory with what waits for it.
    const waiting = this.waiting.get(connection) ?? 0;
    if (waiting >= MOST_WAITING) throw new Problem('database_unavailable', 'it does not keep up');
    const may = this.reach.mayReach(connection.caller.accountId, signal.target);
    if (typeof may === 'boolean') return this.forward(connection, signal, may);
    this.waiting.set(connection, waiting + 1);
    return this.forwardLater(connection, signal, may);
  }

  complaint({ code, detail, status }: Problem, frame: Frame = {}): object {
    const retryable = status === 429 || status >= 500;
    const message = detail === INVALID_JSON ? 'Invalid JSON format' : detail;
    return about(frame, error(code.replaceAll('_', '-'), message, retryable));
  }

  private async forwardLater(connection: Connection, signal: Signal, may: Promise<boolean>): Promise<void> {
    try {
      await this.forward(connection, signal, await may);
    } finally {
      this.waiting.set(connection, (this.waiting.get(connection) ?? 1) - 1);
    }
  }

  private forward(connection: Connection, signal: Signal, may: boolean): void | Promise<void> {
    const delivered = may && this.presence.deliver(this.name, signal.target, signal.forwarded);
    if (typeof delivered === 'boolean') return answer(connection, signal, delivered);
    return delivered.then((known) => answer(connection, signal, known));
  }
}

/** Whether a device is unknown, not connected or out of reach is nobody's business: there is one answer. */
function answer(connection: Connection, { id, target }: Signal, delivered: boolean): void {
  const told = delivered
    ? { type: 'ack', message: `Message delivered to ${target}` }
    : error('target-unavailable', `Target device ${target} not connected`, true);
  connection.send(id === undefined ? told : { ...told, id });
}

const error = (reason: string, message: string, retryable = false): object => ({
  type: 'error',
  message,
  reason,
  retryable,
});
