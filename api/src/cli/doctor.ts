import { readFileSync } from 'node:fs';
import { Clock } from '../common/clock.js';
import { DoctorService } from '../features/doctor/doctor.service.js';
import { examineUrl } from '../features/doctor/examine-url.js';
import { COULD_NOT_LOOK, exitStatusOf, type Finding } from '../features/doctor/finding.js';
import { asJson, asTable } from '../features/doctor/report.js';
import { trustedBy } from '../features/doctor/trust.js';
import { inApplication } from './application.js';
import { complaintOf } from './complaint.js';
import { textOption, UsageError, type Verb, type VerbInput } from './verb.js';

/** For what was printed to be read by a slow reader. */
const LINGER_MS = 2000;
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Looks, prints what was found, and gives the exit status for monitoring: of its own failures as well. */
async function diagnose(input: VerbInput): Promise<number> {
  const clock = new Clock();
  const began = clock.milliseconds();
  const stop = new AbortController();
  const interrupt = (): void => stop.abort();
  for (const signal of SIGNALS) process.on(signal, interrupt);
  try {
    const findings = await examine(input, clock, stop.signal);
    if (stop.signal.aborted) return complain(new UsageError('stopped before everything was looked at'));
    print(findings, (clock.milliseconds() - began) / 1000, input);
    return exitStatusOf(findings);
  } catch (error) {
    return complain(error);
  } finally {
    for (const signal of SIGNALS) process.off(signal, interrupt);
    // A look-up of a name can't be cut, and would keep the process until the name server is given up.
    setTimeout(() => process.exit(), LINGER_MS).unref();
  }
}

async function examine(input: VerbInput, clock: Clock, stop: AbortSignal): Promise<Finding[]> {
  const authorities = trustedBy(authorityIn(input));
  const url = textOption(input, 'url');
  if (url === undefined) return inApplication((app) => app.get(DoctorService).examine(authorities, clock, stop));
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) throw new UsageError('--url must be a URL with https');
  return examineUrl(url, authorities, clock, stop);
}

function authorityIn(input: VerbInput): string | undefined {
  const file = textOption(input, 'ca');
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch {
    throw new UsageError(`--ca ${file} can't be read`);
  }
}

function print(findings: readonly Finding[], seconds: number, { options }: VerbInput): void {
  const text = options.json
    ? asJson(findings, seconds)
    : asTable(findings, seconds, { onlyTrouble: options.quiet === true });
  process.stdout.write(text);
}

function complain(error: unknown): number {
  process.stderr.write(complaintOf(error));
  return COULD_NOT_LOOK;
}

export const doctorVerbs: readonly Verb[] = [
  {
    name: 'doctor',
    about: 'look whether everything works; exit status 0: all well, 1: warnings, 2: faults, 3: could not look',
    options: {
      url: { value: 'URL', about: 'of an API: look from outside only, without any settings' },
      ca: { value: 'FILE', about: 'an authority to trust besides those of this machine (PEM)' },
      json: { about: 'for machines' },
      quiet: { about: 'print warnings and faults only' },
    },
    run: diagnose,
  },
];
