import { setTimeout as delay } from 'node:timers/promises';
import { type RawSocket, textFrame } from './raw-socket.js';
import { cpuSeconds, deviceName, type Target } from './target.js';

const PAIRS = 50;
const IN_FLIGHT = 16;
/** As long as a candidate is, in bytes. */
const FILLING = 'x'.repeat(100);

/** Devices 0, 1 talk to each other, and 2, 3 … */
interface Pair {
  sender: RawSocket;
  receiver: RawSocket;
  target: string;
}

const frameFor = (target: string, id: number): Buffer =>
  textFrame(JSON.stringify({ type: 'ice-candidate', target_device_id: target, payload: { candidate: FILLING }, id }));

async function openPairs(target: Target): Promise<Pair[]> {
  const pairs: Pair[] = [];
  for (let n = 0; n < PAIRS; n += 1) {
    const [sender, receiver] = [await target.open(2 * n), await target.open(2 * n + 1)];
    pairs.push({ sender, receiver, target: deviceName(2 * n + 1) });
  }
  return pairs;
}

function closePairs(pairs: readonly Pair[]): void {
  for (const { sender, receiver } of pairs) {
    sender.close();
    receiver.close();
  }
}

export interface Throughput {
  perSecond: number;
  /** Microseconds of the server's processor time for each frame. */
  cpuMicros: number;
}

/** As fast as it goes: each device sends its next frame when one of its sixteen is acknowledged. */
export async function throughput(target: Target, seconds: number): Promise<Throughput> {
  const pairs = await openPairs(target);
  let forwarded = 0;
  let over = false;
  for (const { sender, receiver, target: device } of pairs) {
    const frame = frameFor(device, 1);
    receiver.onFrame = () => {
      forwarded += 1;
    };
    sender.onFrame = () => {
      if (!over) sender.send(frame);
    };
    for (let n = 0; n < IN_FLIGHT; n += 1) sender.send(frame);
  }
  await delay(500);
  const [before, cpu, startedAt] = [forwarded, cpuSeconds(target.pid), performance.now()];
  await delay(seconds * 1000);
  const count = forwarded - before;
  const took = (performance.now() - startedAt) / 1000;
  const cpuMicros = ((cpuSeconds(target.pid) - cpu) * 1e6) / count;
  over = true;
  closePairs(pairs);
  return { perSecond: count / took, cpuMicros };
}

/** Milliseconds from sending to receipt, of half of the frames and of 99 of 100, at a steady rate, after a second of it. */
export async function latency(
  target: Target,
  perSecond: number,
  seconds: number,
): Promise<{ p50: number; p99: number }> {
  const pairs = await openPairs(target);
  const sentAt: number[] = [];
  const times: number[] = [];
  for (const { receiver } of pairs) {
    receiver.onFrame = (payload) => {
      const { id } = JSON.parse(String(payload));
      if (id === undefined) return;
      arrived += 1;
      if (id >= perSecond) times.push(performance.now() - sentAt[id]!);
    };
  }
  let arrived = 0;
  const total = perSecond * (seconds + 1);
  const startedAt = performance.now();
  while (sentAt.length < total) {
    const due = Math.min(total, Math.floor(((performance.now() - startedAt) / 1000) * perSecond));
    while (sentAt.length < due) {
      const { sender, target: device } = pairs[sentAt.length % PAIRS]!;
      const frame = frameFor(device, sentAt.length);
      sentAt.push(performance.now());
      sender.send(frame);
    }
    await delay(1);
  }
  for (let waited = 0; arrived < total && waited < 500; waited += 1) await delay(10);
  if (arrived < total) throw new Error(`${total - arrived} of ${total} frames did not arrive`);
  closePairs(pairs);
  return { p50: part(times, 0.5), p99: part(times, 0.99) };
}

export function part(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * share) - 1] ?? Number.NaN;
}
