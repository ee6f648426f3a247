import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { platform } from './platform.js';
import type { TurnCredentials } from './turn-client.js';
import type { Endpoint } from './turn-message.js';

export interface RelayCount {
  sent: number;
  received: number;
  lost: number;
}

const MESSAGES = 20;

/** Relays messages to an echoing peer and back with turnutils_uclient, the client that comes with coturn. */
export async function relayWithUclient(
  transport: 'udp' | 'tcp' | 'tls',
  { username, password }: TurnCredentials,
  peer: Endpoint,
): Promise<RelayCount> {
  const way = {
    udp: ['-p', String(platform.ports.turn)],
    tcp: ['-t', '-p', String(platform.ports.turn)],
    // Left to itself it tries TLS 1.0 as often as 1.2, and waits a minute for the answer: it has no cipher for that.
    tls: [
      '-t',
      '-S',
      '-F',
      'ECDHE+AESGCM',
      '-E',
      platform.certificateAuthorityFile,
      '-p',
      String(platform.ports.turnTls),
    ],
  }[transport];
  // -c: no second relay for RTCP. -s: Send indications; its channel numbers are not those of RFC 8656.
  const what = ['-c', '-s', '-n', String(MESSAGES), '-e', peer.address, '-r', String(peer.port)];
  const who = ['-u', username, '-w', password];
  const { stdout } = await promisify(execFile)('turnutils_uclient', [...way, ...what, ...who, platform.host]);
  const count = (pattern: RegExp): number => Number([...stdout.matchAll(pattern)].at(-1)?.[1]);
  return {
    sent: count(/tot_send_msgs=(\d+)/g),
    received: count(/tot_recv_msgs=(\d+)/g),
    lost: count(/Total lost packets (\d+)/g),
  };
}
