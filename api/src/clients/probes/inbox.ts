import { ProbeError } from './probe-error.js';

interface Waiting<T> {
  what: string;
  accepts: (item: T) => boolean;
  resolve: (item: T) => void;
  reject: (error: Error) => void;
}

/**
 * What has arrived on a connection, until somebody takes it. The connection's end, or the deadline, fails whoever
 * waits, and whoever asks later for something that is not there.
 */
export class Inbox<T> {
  private readonly items: T[] = [];
  private waiting: Waiting<T>[] = [];
  private failure: ((what: string) => Error) | undefined;

  constructor(deadline: AbortSignal) {
    const late = () => this.failWith((what) => new ProbeError('silent', `${what} did not come in time`));
    if (deadline.aborted) late();
    else deadline.addEventListener('abort', late, { once: true });
  }

  put(item: T): void {
    const taker = this.waiting.find(({ accepts }) => accepts(item));
    if (!taker) {
      this.items.push(item);
      return;
    }
    this.waiting = this.waiting.filter((one) => one !== taker);
    taker.resolve(item);
  }

  /** Nothing more will come. The first failure is the one that counts. */
  fail(error: Error): void {
    this.failWith(() => error);
  }

  /** The first item that `accepts` does. @param what it is, for the message when it does not come @throws ProbeError */
  take(what: string, accepts: (item: T) => boolean = () => true): Promise<T> {
    const index = this.items.findIndex(accepts);
    const [found] = index < 0 ? [] : this.items.splice(index, 1);
    if (found !== undefined) return Promise.resolve(found);
    if (this.failure) return Promise.reject(this.failure(what));
    return new Promise((resolve, reject) => this.waiting.push({ what, accepts, resolve, reject }));
  }

  private failWith(failure: (what: string) => Error): void {
    this.failure ??= failure;
    const waiting = this.waiting;
    this.waiting = [];
    for (const { what, reject } of waiting) reject(this.failure(what));
  }
}
