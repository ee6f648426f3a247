import { createSocket } from 'node:dgram';
import { isIPv6 } from 'node:net';

/**
 * Sends one datagram and gives the first answer.
 * @throws Error when nothing answers within `timeoutMs` or the port is closed.
 */
export function ask(host: string, port: number, question: Buffer, timeoutMs: number): Promise<Buffer> {
  const socket = createSocket(isIPv6(host) ? 'udp6' : 'udp4');
  const answer = new Promise<Buffer>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('no answer')), timeoutMs);
    socket.once('message', (message) => {
      clearTimeout(timer);
      resolve(message);
    });
    socket.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    // The callback is told of a failure, which the type leaves out: a name that does not resolve.
    const connected = (error?: Error) => (error ? socket.emit('error', error) : socket.send(question));
    socket.connect(port, host, connected);
  });
  return answer.finally(() => socket.close());
}
