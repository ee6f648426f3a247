import { Socket } from 'node:net';

type Failure = Error & { code: string };

const failure = (code: string, message: string): Failure => Object.assign(new Error(message), { code });

/**
 * The socket below a connection of postgres.js, with a deadline, which postgres.js has none of for an answer, and with
 * its end told in one piece: an error, then at once the close. Node tells an error some time before the close. A query that
 * postgres.js is given in between is never answered, a rollback leaves the connection unusable for good; and without
 * an error it connects again and again instead of telling whoever waits.
 */
export class DatabaseSocket extends Socket {
  private failure: Error | undefined;

  /** Begins to connect. @param deadlineMs how long nothing may move */
  static open(host: string, port: number, deadlineMs: number): Socket {
    const socket = new DatabaseSocket();
    socket.setTimeout(deadlineMs, () => socket.destroy(failure('ETIMEDOUT', 'PostgreSQL does not answer')));
    return socket.setNoDelay().connect({ host, port });
  }

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    if (event === 'error') {
      this.failure = values[0] as Error;
      return true;
    }
    if (event === 'close')
      super.emit('error', this.failure ?? failure('ECONNRESET', 'PostgreSQL closed the connection'));
    return super.emit(event, ...values);
  }
}
