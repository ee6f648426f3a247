import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { platform } from './platform.js';
import type { Credentials } from './sip-client.js';

export interface SippRun {
  scenario: 'register' | 'caller' | 'callee';
  credentials: Credentials;
  /** Local port for SIP; the media port is the one after it. */
  port: number;
  calls?: number;
  callsPerSecond?: number;
  callee?: string;
  /** How every Call-ID of a caller begins. */
  callIdPrefix?: string;
}

const SCENARIOS = fileURLToPath(new URL('../../support/sipp/', import.meta.url));
const DEADLINE_SECONDS = 40;

/**
 * Runs sipp until it has made, or taken, so many calls. Resolves when each of them went as its scenario says
 * (tests/support/sipp); rejects with what sipp counted otherwise.
 */
export async function sipp(run: SippRun): Promise<void> {
  const directory = mkdtempSync(path.join(tmpdir(), 'sipp-'));
  try {
    const { code, output } = await finished(argumentsOf(run), directory);
    if (code !== 0) throw new Error(`sipp ${run.scenario} ended with ${code}:\n${output.slice(-2000)}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

const argumentsOf = ({
  scenario,
  credentials,
  port,
  calls = 1,
  callsPerSecond = 10,
  callee,
  callIdPrefix,
}: SippRun): string[] => [
  ...['-sf', path.join(SCENARIOS, `${scenario}.xml`), '-nostdin'],
  ...['-i', '127.0.0.1', '-p', String(port), '-mi', '127.0.0.1', '-mp', String(port + 1)],
  ...['-m', String(calls), '-r', String(callsPerSecond), '-timeout', String(DEADLINE_SECONDS), '-timeout_error'],
  ...['-au', credentials.username, '-ap', credentials.password],
  ...['-key', 'user', credentials.username, '-key', 'domain', platform.domain],
  ...(callee ? ['-key', 'callee', callee] : []),
  ...(callIdPrefix ? ['-cid_str', `${callIdPrefix}-%u`] : []),
  `${platform.host}:${platform.ports.sip}`,
];

function finished(parameters: string[], cwd: string): Promise<{ code: number | null; output: string }> {
  const child = spawn('sipp', parameters, {
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TERM: 'dumb' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, output }));
  });
}
