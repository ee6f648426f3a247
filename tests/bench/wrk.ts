import { execFile } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

export interface Load {
  url: string;
  connections: number;
  headers?: Record<string, string>;
  /** A JSON body makes the requests POSTs. */
  body?: object;
}

const run = promisify(execFile);
const quoted = (text: string): string => JSON.stringify(text);

function script({ headers = {}, body }: Load): string {
  const lines = Object.entries(headers).map(([name, value]) => `wrk.headers[${quoted(name)}] = ${quoted(value)}`);
  if (body) {
    lines.push('wrk.method = "POST"', `wrk.body = ${quoted(JSON.stringify(body))}`);
    lines.push('wrk.headers["content-type"] = "application/json"');
  }
  return `${lines.join('\n')}\n`;
}

/** Requests per second under wrk. Passwords and tokens go to it by a file: a process list shows arguments. @throws when any answer was not 2xx */
export async function requestsPerSecond(load: Load, seconds: number): Promise<number> {
  const file = path.join(mkdtempSync(path.join(tmpdir(), 'veil-bench-')), 'load.lua');
  writeFileSync(file, script(load), { mode: 0o600 });
  const options = ['-t1', `-c${load.connections}`, `-d${seconds}s`, '-s', file, load.url];
  const { stdout } = await run('wrk', options);
  const failed = /Non-2xx or 3xx responses: (\d+)|Socket errors: (.*)/.exec(stdout);
  if (failed) throw new Error(`${load.url}: ${failed[0]}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

export const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

/** Both loads in turn, so that a machine that slows down slows both: medians, and the median of the pairs' ratios. */
export async function compare(ours: Load, reference: Load, { pairs, seconds }: { pairs: number; seconds: number }) {
  const runs: [number, number][] = [];
  for (const load of [ours, reference]) await requestsPerSecond(load, 1);
  for (let pair = 0; pair < pairs; pair += 1) {
    runs.push([await requestsPerSecond(ours, seconds), await requestsPerSecond(reference, seconds)]);
  }
  return {
    ours: median(runs.map(([rate]) => rate)),
    reference: median(runs.map(([, rate]) => rate)),
    ratio: median(runs.map(([a, b]) => a / b)),
  };
}
