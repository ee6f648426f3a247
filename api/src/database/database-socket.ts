import { Socket } from 'node:net';
import { LastWordsReader } from './last-words.js';

type Failure = Error & { code: string };

const failure = (code: string, message: string): Failure => Object.assign(new Error(message), { code });

/**
 * The socket below a connection of postgres.js, with a deadline, which postgres.js has none of for an answer, and with
 * its end told in one piece: an error, then at once the close. Node tells an error some time before the close. A query that
 * postgres.js is given in between is never answered, a rollback leaves the connection unusable for good; and without
 * an error it connects again and again instead of telling whoever waits.
 *
 * What PostgreSQL says when it ends a connection is part of that end, too. postgres.js 3.4 keeps it for the answer that
 * should follow and never does, and fails the first query of the next connection with it, however much later that is.
 */
export class DatabaseSocket extends Socket {
  private static readonly failures = new WeakSet<object>();
  private failure: Error | undefined;
  private readonly lastWords = new LastWordsReader();

  /** Begins to connect. @param deadlineMs how long nothing may move */
  static open(host: string, port: number, deadlineMs: number): Socket {
    const socket = new DatabaseSocket();
    socket.setTimeout(deadlineMs, () => socket.destroy(failure('ETIMEDOUT', 'PostgreSQL does not answer')));
    return socket.setNoDelay().connect({ host, port });
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'data') return this.pass(values[0] as Buffer);
    if (event === 'error') {
      this.failure = values[0] as Error;
      return true;
    }
    if (event === 'close') this.tellFailure(this.failure ?? failure('ECONNRESET', 'PostgreSQL closed the connection'));
    return super.emit(event, ...values);
  }

  /** Whether that is how a connection ended. */
  static isFailure(reason: unknown): boolean {
    return typeof reason === 'object' && reason !== null && DatabaseSocket.failures.has(reason);
  }

  private tellFailure(error: Error): void {
    DatabaseSocket.failures.add(error);
    super.emit('error', error);
  }

  private pass(chunk: Buffer): boolean {
    const last = this.lastWords.read(chunk);
    if (!last) return super.emit('data', chunk);
    if (last.before.length > 0) super.emit('data', last.before);
    this.destroy(failure(last.code, last.message));
    return true;
  }
}
