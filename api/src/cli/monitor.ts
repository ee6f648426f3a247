import { writeFileSync } from 'node:fs';
import { MonitorService } from '../features/monitor/monitor.service.js';
import { inApplication } from './application.js';
import { textOption, UsageError, type Verb, type VerbInput } from './verb.js';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** Looks after the servers beside the API, of which it tells too when that goes down. */
async function monitor(input: VerbInput): Promise<number> {
  const sign = textOption(input, 'sign');
  const stop = new AbortController();
  for (const signal of SIGNALS) process.once(signal, () => stop.abort());
  return inApplication(async (app) => {
    const service = app.get(MonitorService);
    if (!service.enabled) throw new UsageError('ALERT_EMAIL and SMTP_HOST must be set: there is nobody to tell');
    // The loop itself keeps no process alive.
    const awake = setInterval(() => {}, 60_000);
    await service.run(stop.signal, () => sign && writeFileSync(sign, '\n'));
    clearInterval(awake);
    return 0;
  });
}

export const monitorVerbs: readonly Verb[] = [
  {
    name: 'monitor',
    about: 'look after the servers and mail ALERT_EMAIL, until it is stopped',
    options: {
      sign: { value: 'FILE', about: 'write it anew after each look, for whoever asks whether it still looks' },
    },
    run: monitor,
  },
];
