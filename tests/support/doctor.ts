import { type ChildProcess, type ExecFileException, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { NODE, program } from './checkout.js';
import { apiSecrets, platform } from './platform.js';

/** The doctor of the checkout, run on the platform under test with settings of its own. */

/** Trusts the authority of the platform. */
export const TRUSTING = ['--ca', platform.certificateAuthorityFile];

export interface Finding {
  id: string;
  severity: 'ok' | 'info' | 'warning' | 'fault';
  probed: string;
  detail: string;
  remedy?: string;
}

export interface Diagnosis {
  status: number;
  stdout: string;
  stderr: string;
}

export interface Report extends Diagnosis {
  seconds: number;
  findings: Finding[];
}

const environment = (settings: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...process.env,
  ...apiSecrets(),
  ...settings,
});

/** Runs it to its end. Its exit status is no exception. */
export function runDoctor(words: string[], settings: NodeJS.ProcessEnv = {}): Promise<Diagnosis> {
  const command = [program('cli'), 'doctor', ...words];
  return new Promise((resolve) => {
    execFile(
      NODE,
      command,
      { env: environment(settings), cwd: '/' },
      (error: ExecFileException | null, stdout, stderr) =>
        resolve({ status: error ? Number(error.code ?? -1) : 0, stdout, stderr }),
    );
  });
}

/** What it finds, for machines. */
export async function examine(words: string[] = TRUSTING, settings: NodeJS.ProcessEnv = {}): Promise<Report> {
  const diagnosis = await runDoctor([...words, '--json'], settings);
  if (diagnosis.stdout === '') throw new Error(`the doctor could not look: ${diagnosis.stderr}`);
  const { seconds, findings } = JSON.parse(diagnosis.stdout);
  return { ...diagnosis, seconds, findings };
}

const MOST_LOOKS = 3;

/**
 * What it finds, with that status at the third look at the latest: its patience has an end, and on a machine that has much
 * else to do a server may be too late for it.
 */
export async function examineAs(status: number, words?: string[], settings?: NodeJS.ProcessEnv): Promise<Report> {
  for (let looks = 1; ; looks += 1) {
    const report = await examine(words, settings);
    if (report.status === status || looks === MOST_LOOKS) return report;
  }
}

/** The finding of that id. */
export function findingOf({ findings }: Report, id: string): Finding {
  const found = findings.find((finding) => finding.id === id);
  if (!found) throw new Error(`nothing is said of ${id}: ${findings.map((finding) => finding.id).join(', ')}`);
  return found;
}

export const idsOf = ({ findings }: Report, severity: Finding['severity']): string[] =>
  findings.filter((finding) => finding.severity === severity).map(({ id }) => id);

/** Starts it and leaves it running: it can be stopped halfway. */
export class RunningDoctor {
  private constructor(private readonly process: ChildProcess) {}

  static start(): RunningDoctor {
    const child = spawn(NODE, [program('cli'), 'doctor', ...TRUSTING], { env: environment({}), stdio: 'ignore' });
    return new RunningDoctor(child);
  }

  /** @returns its exit status, null when the signal ended it */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    const ended = once(this.process, 'exit');
    this.process.kill(signal);
    const [status] = await ended;
    return status;
  }
}
