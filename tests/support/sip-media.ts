import { randomUUID } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { platform } from './platform.js';

/** The control port of rtpengine (ng): bencoded dictionaries in datagrams, each after a cookie of its own. */

type Bencoded = string | number | Bencoded[] | { [key: string]: Bencoded };

function encode(value: Bencoded): string {
  if (typeof value === 'number') return `i${value}e`;
  if (typeof value === 'string') return `${Buffer.byteLength(value)}:${value}`;
  if (Array.isArray(value)) return `l${value.map(encode).join('')}e`;
  return `d${Object.entries(value)
    .map(([key, item]) => encode(key) + encode(item))
    .join('')}e`;
}

function decode(text: string): Bencoded {
  let at = 0;
  const upTo = (end: string): string => {
    const start = at;
    at = text.indexOf(end, at) + 1;
    return text.slice(start, at - 1);
  };
  const list = (): Bencoded[] => {
    const items: Bencoded[] = [];
    while (text[at] !== 'e') items.push(next());
    at += 1;
    return items;
  };
  const next = (): Bencoded => {
    const kind = text[at];
    if (kind === 'i') return Number(upTo('e').slice(1));
    if (kind === 'l' || kind === 'd') {
      at += 1;
      const items = list();
      return kind === 'l' ? items : dictionary(items);
    }
    const length = Number(upTo(':'));
    at += length;
    return text.slice(at - length, at);
  };
  return next();
}

const dictionary = (items: Bencoded[]): Bencoded =>
  Object.fromEntries(items.flatMap((key, n) => (n % 2 ? [] : [[String(key), items[n + 1] ?? '']])));

async function ask(command: string, parameters: Record<string, Bencoded> = {}): Promise<Record<string, Bencoded>> {
  // A cookie seen before is a retransmission: it gets the old answer.
  const cookie = `${randomUUID()} `;
  const socket = createSocket('udp4');
  const answer = new Promise<string>((resolve, reject) => {
    socket.once('message', (datagram) => resolve(datagram.toString('latin1')));
    socket.once('error', reject);
    AbortSignal.timeout(20_000).addEventListener('abort', () =>
      reject(new Error(`rtpengine did not answer ${command}`)),
    );
  });
  socket.send(cookie + encode({ command, ...parameters }), platform.ports.rtpengineNg, '127.0.0.1');
  try {
    return decode((await answer).slice(cookie.length)) as Record<string, Bencoded>;
  } finally {
    socket.close();
  }
}

/** Call-IDs of the calls whose media the relay carries now. */
export const mediaSessions = async (): Promise<string[]> => (await ask('list', { limit: 1000 })).calls as string[];

/** The bytes on every socket of a call: what the relay received there. */
export async function relayedPackets(callId: string): Promise<number[]> {
  const { tags } = (await ask('query', { 'call-id': callId })) as {
    tags: Record<string, { medias: { streams: { stats: { packets: number } }[] }[] }>;
  };
  return Object.values(tags).map(({ medias }) => medias[0]?.streams[0]?.stats.packets ?? 0);
}
