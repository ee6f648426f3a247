import type { Alert, Level } from './alert-rules.js';

const WORDS: Record<Level, string> = { fault: 'DOWN', warning: 'WARNING', ok: 'back' };
const ORDER: readonly Level[] = ['fault', 'warning', 'ok'];

/** One mail about everything that there is to tell at one time. */
export function alertText(news: readonly Alert[], domain: string): { subject: string; text: string } {
  const groups = ORDER.map((level) => ({ level, alerts: news.filter(({ severity }) => severity === level) }));
  const present = groups.filter(({ alerts }) => alerts.length > 0);
  const titles = present.map(
    ({ level, alerts }) => `${WORDS[level]}: ${alerts.map(({ subject }) => subject).join(', ')}`,
  );
  const paragraphs = present.flatMap(({ alerts }) => alerts.map(paragraph));
  return {
    subject: `[${domain}] ${titles.join('; ')}`,
    text: `${paragraphs.join('\n\n')}\n\nOn the server, scripts/veil.sh doctor tells what it means and what to do.\n`,
  };
}

function paragraph({ subject, severity, detail, since }: Alert): string {
  const head = `${subject}: ${WORDS[severity]} since ${since.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  return severity === 'ok' ? head : [head, ...detail.split('\n').map((line) => `  ${line}`)].join('\n');
}
