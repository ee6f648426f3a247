import type { RawData, WebSocket } from 'ws';
import { Problem } from '../common/problem.js';
import { readFrame } from './frames.js';
import type { Frame } from './protocol.js';

/** How long a client may take to say who it is. */
const PATIENCE_MS = 10_000;
const MOST_FRAME_BYTES = 8 * 1024;
/** Frames that may come before somebody is let in. */
const MOST_FRAMES = 8;

export interface Message {
  readonly data: Buffer;
  readonly binary: boolean;
}

/** Where a client waits that is connected and not yet let in: its frames are taken one by one, or kept. */
export class Lobby {
  private readonly kept: Message[] = [];
  private readonly deadline = performance.now() + PATIENCE_MS;
  private wake: (() => void) | undefined;
  private fault: Problem | undefined;

  constructor(private readonly socket: WebSocket) {
    socket.on('message', this.take);
    socket.once('close', this.end);
  }

  /** The next frame. @throws Problem when none comes, or none that can be read */
  async next(): Promise<Frame> {
    const timer = setTimeout(() => this.fail('request_timeout', 'say who you are within 10 seconds'), this.left());
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

  /** The client goes on. @returns what it has sent already */
  leave(): Message[] {
    this.socket.off('message', this.take);
    this.socket.off('close', this.end);
    return this.kept;
  }

  private readonly take = (data: RawData, binary: boolean): void => {
    const bytes = data as Buffer;
    if (bytes.length > MOST_FRAME_BYTES) this.fail('payload_too_large', 'say who you are first');
    else if (this.kept.length >= MOST_FRAMES) this.fail('rate_limited', 'say who you are first');
    else this.kept.push({ data: bytes, binary });
    this.wake?.();
  };

  private readonly end = (): void => this.fail('malformed_request', 'the client has gone');

  private fail(
    code: 'request_timeout' | 'payload_too_large' | 'rate_limited' | 'malformed_request',
    why: string,
  ): void {
    this.fault ??= new Problem(code, why);
    this.wake?.();
  }

  private left(): number {
    return Math.max(0, this.deadline - performance.now());
  }
}
