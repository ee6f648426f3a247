import { setTimeout as delay } from 'node:timers/promises';
import { measureCommands } from './commands.js';
import { measureDrops } from './drops.js';
import { latency, part, throughput } from './forwarding.js';
import type { RawSocket } from './raw-socket.js';
import { bareTarget, cpuSeconds, memoryKb, ourTarget, type Target } from './target.js';

/** Speed of the WebSockets, against the bare library that does the same work in the same run. Run by scripts/bench.sh. */
const ROUNDS = 3;
const SECONDS = 3;
const IDLE = 5000;
const RETURNING = 2000;
/** A second; a little more than are to arrive. */
const COMMANDS = 3050;
const DROPPING_SECONDS = 45;
const DROPPING = { up: 15_000, down: 2000, event: 2000 };
/** An idle process gives back what it took to let the connections in: that is not what they hold. */
const SETTLING_MS = 10_000;

const rows: string[][] = [['what', 'ours', 'reference', 'ratio', 'goal']];
const median = (values: readonly number[]): number => part(values, 0.5);
const rate = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;

async function benchForwarding(ours: Target, bare: Target): Promise<void> {
  const measured = { ours: [], bare: [] } as Record<'ours' | 'bare', Awaited<ReturnType<typeof throughput>>[]>;
  for (let round = 0; round < ROUNDS; round += 1) {
    measured.bare.push(await throughput(bare, SECONDS));
    measured.ours.push(await throughput(ours, SECONDS));
  }
  const rates = (of: 'ours' | 'bare') => measured[of].map(({ perSecond }) => perSecond);
  const cpu = (of: 'ours' | 'bare') => median(measured[of].map(({ cpuMicros }) => cpuMicros));
  const ratio = median(rates('ours').map((value, round) => value / rates('bare')[round]!));
  rows.push([
    'frames forwarded and acknowledged : bare ws',
    rate(median(rates('ours'))),
    rate(median(rates('bare'))),
    ratio.toFixed(2),
    '≥ 0.8',
  ]);
  rows.push([
    'processor time of a frame',
    `${cpu('ours').toFixed(1)} µs`,
    `${cpu('bare').toFixed(1)} µs`,
    (cpu('bare') / cpu('ours')).toFixed(2),
    '',
  ]);
  const [mine, theirs] = [await latency(ours, 5000, SECONDS), await latency(bare, 5000, SECONDS)];
  const text = ({ p50, p99 }: typeof mine): string => `p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)} ms`;
  rows.push(['5,000 frames/s from send to receipt', text(mine), text(theirs), '', 'p99 < 10 ms']);
}

/** Kilobytes of the process for each connection that does nothing. */
async function idleKb(target: Target): Promise<number> {
  await closeAll(await openMany(target, 500));
  await delay(SETTLING_MS);
  const before = memoryKb(target.pid);
  const sockets = await openMany(target, IDLE);
  await delay(SETTLING_MS);
  const kb = (memoryKb(target.pid) - before) / IDLE;
  await closeAll(sockets);
  return kb;
}

async function openMany(target: Target, count: number): Promise<RawSocket[]> {
  const sockets: RawSocket[] = [];
  for (let n = 0; n < count; n += 50) {
    sockets.push(...(await Promise.all(Array.from({ length: Math.min(50, count - n) }, (_, k) => target.open(n + k)))));
  }
  return sockets;
}

async function closeAll(sockets: readonly RawSocket[]): Promise<void> {
  for (const socket of sockets) socket.close();
  await delay(500);
}

async function benchIdle(ours: Target, bare: Target): Promise<void> {
  const [mine, theirs] = [await idleKb(ours), await idleKb(bare)];
  rows.push([
    `memory of an idle connection, ${IDLE} of them`,
    `${mine.toFixed(1)} KB`,
    `${theirs.toFixed(1)} KB`,
    (theirs / mine).toFixed(2),
    '≤ 15 KB',
  ]);
}

/** How long it takes until almost all are back that come at once, in seconds. */
async function benchReturn(ours: Target): Promise<void> {
  const [startedAt, cpu] = [performance.now(), cpuSeconds(ours.pid)];
  const seconds = await Promise.all(
    Array.from({ length: RETURNING }, async (_, n) => {
      const socket = await ours.open(n);
      await socket.next();
      const took = (performance.now() - startedAt) / 1000;
      socket.close();
      return took;
    }),
  );
  const micros = ((cpuSeconds(ours.pid) - cpu) * 1e6) / RETURNING;
  rows.push([
    `${RETURNING} devices that connect at once`,
    `p95 ${part(seconds, 0.95).toFixed(2)} s, ${micros.toFixed(0)} µs of processor time each`,
    '',
    '',
    'p95 < 3 s',
  ]);
}

async function benchCommands(): Promise<void> {
  // What is compiled by then is not compiled while somebody waits.
  await measureCommands(COMMANDS, 10);
  const rounds: Awaited<ReturnType<typeof measureCommands>>[] = [];
  while (rounds.length < ROUNDS) rounds.push(await measureCommands(COMMANDS, 10));
  const middle = (read: (round: (typeof rounds)[number]) => number): number => median(rounds.map(read));
  const lost = rounds.reduce((sum, round) => sum + round.lost, 0);
  rows.push([
    `durable commands, ${rate(COMMANDS)} begun`,
    `${rate(middle(({ perSecond }) => perSecond))}, p50 ${middle(({ p50 }) => p50).toFixed(1)}, p99 ${middle(({ p99 }) => p99).toFixed(1)} ms, ${lost} lost`,
    '',
    '',
    '≥ 3,000/s, p99 < 25 ms, none lost',
  ]);
}

const [ours, bare] = [await ourTarget(IDLE), await bareTarget()];
// In processes that have done nothing else yet: what a process has once had, it keeps.
await benchIdle(ours, bare);
await benchForwarding(ours, bare);
await benchReturn(ours);
await Promise.all([ours.stop(), bare.stop()]);
await benchCommands();
const { owed, got, doubled } = await measureDrops(RETURNING, DROPPING_SECONDS, DROPPING);
rows.push([
  `${RETURNING} clients that drop every 15 s for 2 s: durable messages they got`,
  got.toLocaleString('en'),
  `${owed.toLocaleString('en')} owed`,
  `${((100 * got) / owed).toFixed(1)} %, ${doubled} doubled`,
  '100 %',
]);
console.log(rows.map((row) => `| ${row.join(' | ')} |`).join('\n'));
process.exit(0);
