import type { Result } from './trial.js';

const HEADINGS = [
  'fault',
  'requests',
  'failed: REST',
  'XMPP',
  'SIP',
  'lost',
  'seconds to recover',
  'noticed after',
  'p99 before, after',
];

const line = (cells: readonly unknown[]): string => `| ${cells.join(' | ')} |`;
const seconds = (value: number | undefined): string => (value === undefined ? '-' : `${value.toFixed(1)} s`);
const milliseconds = (value: number): string => `${Math.round(value)} ms`;

export const headings = (): string[] => [line(HEADINGS), line(HEADINGS.map(() => '---'))];

export function rowOf({ fault, requests, failed, lost, recoveredAfter, noticedAfterMs, p99 }: Result): string {
  const noticed = noticedAfterMs === undefined ? undefined : noticedAfterMs / 1000;
  const times = `${milliseconds(p99.before)}, ${milliseconds(p99.after)}`;
  return line([
    fault,
    requests,
    failed.rest,
    failed.xmpp,
    failed.sip,
    lost,
    seconds(recoveredAfter),
    seconds(noticed),
    times,
  ]);
}
