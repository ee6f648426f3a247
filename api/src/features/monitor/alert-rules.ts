import type { Severity } from '../doctor/finding.js';
import type { Vital } from '../doctor/vitals.checkup.js';

/** How something was found last, and what the operator knows of it. */
export interface Alert {
  subject: string;
  severity: Level;
  detail: string;
  /** Since when it is so. */
  since: Date;
  /** What the operator was told last. */
  told: Level;
  /** When that it is not well was told last. */
  alarmedAt: Date | null;
}

export type Level = 'ok' | 'warning' | 'fault';

/** What is still wrong is told of again after a day, in milliseconds. */
const REMIND_MS = 86_400_000;

const RANK: Record<Level, number> = { ok: 0, warning: 1, fault: 2 };

/** Notes how everything was found. What is not looked at any more is forgotten. */
export function observe(known: readonly Alert[], vitals: readonly Vital[], now: Date): Alert[] {
  return vitals.map(({ subject, severity, detail }) => {
    const before = known.find((alert) => alert.subject === subject);
    const level = levelOf(severity);
    const since = before?.severity === level ? before.since : now;
    return {
      subject,
      severity: level,
      detail,
      since,
      told: before?.told ?? 'ok',
      alarmedAt: before?.alarmedAt ?? null,
    };
  });
}

/** Information asks for nothing. */
const levelOf = (severity: Severity): Level => (severity === 'info' ? 'ok' : severity);

/**
 * Whether the operator is to be told of it now: at once when it is well again, or better; when it is worse, not within
 * the cool-down after the last alarm about it, so that one that goes up and down does not flood a mailbox.
 */
export function isNews({ severity, told, alarmedAt }: Alert, now: Date, cooldownMs: number): boolean {
  const silentMs = alarmedAt === null ? Number.POSITIVE_INFINITY : now.getTime() - alarmedAt.getTime();
  if (RANK[severity] < RANK[told]) return true;
  if (RANK[severity] > RANK[told]) return silentMs >= cooldownMs;
  return severity !== 'ok' && silentMs >= REMIND_MS;
}

/** Once the operator has been told. */
export const told = (alert: Alert, now: Date): Alert => ({
  ...alert,
  told: alert.severity,
  alarmedAt: alert.severity === 'ok' ? alert.alarmedAt : now,
});
