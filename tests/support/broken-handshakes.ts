import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { platform } from './platform.js';

const AT_ONCE = 16;

/** Speaks no TLS. */
function speakHttp(port: number): Socket {
  const socket = connect({ host: platform.host, port });
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
  return socket;
}

/** Offers nothing that the server takes. */
const offerOldCipher = (port: number): Socket =>
  connectTls({ host: platform.host, port, maxVersion: 'TLSv1.2', ciphers: 'AES128-SHA', rejectUnauthorized: false });

/** Has TLS handshakes fail, many at the same time. Resolves when the server has ended the last of them. */
export async function breakHandshakes(port: number, count: number): Promise<void> {
  let begun = 0;
  const breakSome = async (): Promise<void> => {
    while (begun < count) {
      begun += 1;
      const socket = begun % 2 === 0 ? speakHttp(port) : offerOldCipher(port);
      // Each ends with an error, and then closes.
      await new Promise((resolve) =>
        socket
          .resume()
          .on('error', () => {})
          .once('close', resolve),
      );
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, breakSome));
}
