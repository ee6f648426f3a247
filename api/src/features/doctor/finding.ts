/** From good to bad. `info` is worth knowing and asks for nothing. */
export const SEVERITIES = ['ok', 'info', 'warning', 'fault'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What was found, in an operator's words, and what to do about it. */
export interface Verdict {
  severity: Severity;
  detail: string;
  remedy?: string;
}

export interface Finding extends Verdict {
  /** Stable, for machines: `xmpp.tls`. */
  id: string;
  /** For people: `XMPP with direct TLS at chat.example.com:5223`. */
  probed: string;
}

export const ok = (detail: string): Verdict => ({ severity: 'ok', detail });
export const info = (detail: string, remedy?: string): Verdict => verdict('info', detail, remedy);
export const warning = (detail: string, remedy: string): Verdict => verdict('warning', detail, remedy);
export const fault = (detail: string, remedy: string): Verdict => verdict('fault', detail, remedy);

const verdict = (severity: Severity, detail: string, remedy: string | undefined): Verdict => ({
  severity,
  detail,
  ...(remedy ? { remedy } : {}),
});

/** The worst of all; `ok` when there is none. */
export const worstOf = (verdicts: readonly Verdict[]): Severity =>
  SEVERITIES.findLast((severity) => verdicts.some((one) => one.severity === severity)) ?? 'ok';

/** For monitoring: 0 all well, 1 warnings, 2 faults. 3 is for a doctor that could not look. */
export function exitStatusOf(findings: readonly Finding[]): 0 | 1 | 2 {
  const worst = worstOf(findings);
  if (worst === 'fault') return 2;
  return worst === 'warning' ? 1 : 0;
}

export const COULD_NOT_LOOK = 3;
