import { type Finding, SEVERITIES, type Severity, worstOf } from './finding.js';

const WIDTH = 110;
const LABELS: Record<Severity, string> = { ok: 'ok', info: 'info', warning: 'WARNING', fault: 'FAULT' };
const LABEL_WIDTH = 9;

/** What was found and how long that took, for machines. */
export function asJson(findings: readonly Finding[], seconds: number): string {
  return `${JSON.stringify({ status: worstOf(findings), seconds: rounded(seconds), findings }, null, 2)}\n`;
}

/** … for people. `onlyTrouble` leaves out what is well: nothing at all is printed when everything is. */
export function asTable(
  findings: readonly Finding[],
  seconds: number,
  { onlyTrouble }: { onlyTrouble: boolean },
): string {
  const isTrouble = ({ severity }: Finding): boolean => severity === 'warning' || severity === 'fault';
  const shown = onlyTrouble ? findings.filter(isTrouble) : findings;
  if (onlyTrouble && shown.length === 0) return '';
  return `${shown.map(rowOf).join('')}\n${summaryOf(findings, seconds)}\n`;
}

function rowOf({ severity, probed, detail, remedy }: Finding): string {
  const lines = wrap(printable(`${LABELS[severity].padEnd(LABEL_WIDTH)}${probed}: ${detail}`));
  const advice = remedy ? wrap(printable(`→ ${remedy}`)) : [];
  const indent = ' '.repeat(LABEL_WIDTH);
  const [head = '', ...rest] = lines;
  return [head, ...rest.map((line) => indent + line), ...advice.map((line) => indent + line)].join('\n').concat('\n');
}

/** What a server said of itself must not steer the terminal. */
const printable = (text: string): string => text.replaceAll(/\p{Cc}/gu, ' ');

/** Breaks a line between words. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  for (let rest = text; rest !== ''; ) {
    const end = rest.length <= WIDTH ? rest.length : rest.lastIndexOf(' ', WIDTH);
    const length = end > LABEL_WIDTH ? end : rest.length;
    lines.push(rest.slice(0, length));
    rest = rest.slice(length).trimStart();
  }
  return lines;
}

function summaryOf(findings: readonly Finding[], seconds: number): string {
  const counts = SEVERITIES.map((severity) => [severity, findings.filter((one) => one.severity === severity).length]);
  const named = counts.filter(([, count]) => count !== 0).map(([severity, count]) => `${count} ${severity}`);
  return `${findings.length} findings in ${rounded(seconds)} s: ${named.join(', ')}`;
}

const rounded = (seconds: number): number => Math.round(seconds * 10) / 10;
