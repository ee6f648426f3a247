import type { RawData, WebSocket } from 'ws';
import { Problem, type ProblemCode } from '../common/problem.js';
import { readFrame } from './frames.js';
import type { Frame } from './protocol.js';

/** How long a client may take to say who it is. */
const PATIENCE_MS = 10_000;
/** Of a frame that says who it is. */
const MOST_FRAME_BYTES = 8 * 1024;
/** Pings and pongs, which nobody needs before it is known who he is. */
const MOST_CONTROL_FRAMES = 100;

export interface Message {
  readonly data: Buffer;
  readonly binary: boolean;
}

/**
 * Where a client waits that is connected and not yet let in. Its frames are taken one by one. What it sends behind one that
 * is being looked at is not read meanwhile; what was read with it, a packet's worth, is kept.
 */
export class Lobby {
  private readonly kept: Message[] = [];
  /** Whether a frame is awaited that has not come. */
  private asking = true;
  private readonly deadline = performance.now() + PATIENCE_MS;
  private wake: (() => void) | undefined;
  private fault: Problem | undefined;
  private controlFrames = 0;

  constructor(private readonly socket: WebSocket) {
    socket.on('message', this.take);
    socket.on('ping', this.countControl);
    socket.on('pong', this.countControl);
    socket.once('close', this.end);
  }

  /** The next frame. @throws Problem when none comes, or none that can be read */
  async next(): Promise<Frame> {
    const timer = setTimeout(() => this.fail('request_timeout', 'say who you are within 10 seconds'), this.left());
    this.asking = this.kept.length === 0;
    if (this.asking) this.socket.resume();
    while (this.kept.length === 0 && !this.fault) {
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
    }
    clearTimeout(timer);
    const message = this.kept.shift();
    if (this.fault || !message) throw this.fault ?? new Problem('malformed_request', 'no frame has come');
    if (message.binary) throw new Problem('malformed_request', 'send text frames');
    return readFrame(message.data);
  }

  /** The client goes on, or is sent away. @returns what it has sent already */
  leave(): Message[] {
    this.socket.off('message', this.take);
    this.socket.off('ping', this.countControl);
    this.socket.off('pong', this.countControl);
    this.socket.off('close', this.end);
    this.socket.resume();
    return this.kept;
  }

  /** Whoever waits here is to connect again, to another process or later. */
  close(): void {
    this.fail('stopping', 'connect again');
  }

  private readonly take = (data: RawData, binary: boolean): void => {
    const bytes = data as Buffer;
    if (this.asking && bytes.length > MOST_FRAME_BYTES) {
      this.fail('payload_too_large', 'say who you are first');
      return;
    }
    if (this.asking) this.socket.pause();
    this.asking = false;
    this.kept.push({ data: bytes, binary });
    this.wake?.();
  };

  private readonly countControl = (): void => {
    this.controlFrames += 1;
    if (this.controlFrames > MOST_CONTROL_FRAMES) this.fail('rate_limited', 'too many frames: say who you are first');
  };

  private readonly end = (): void => this.fail('malformed_request', 'the client has gone');

  private fail(code: ProblemCode, why: string): void {
    this.fault ??= new Problem(code, why);
    this.wake?.();
  }

  private left(): number {
    return Math.max(0, this.deadline - performance.now());
  }
}
