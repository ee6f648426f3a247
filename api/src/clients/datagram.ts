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
    socket.once('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    socket.connect(port, host, () => socket.send(question));
  });
  return answer.finally(() => socket.close());
}
