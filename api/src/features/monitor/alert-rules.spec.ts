import { describe, expect, it } from '@jest/globals';
import type { Vital } from '../doctor/vitals.checkup.js';
import { type Alert, isNews, observe, told } from './alert-rules.js';
import { alertText } from './alert-text.js';

const MINUTE = 60_000;
const COOLDOWN = 5 * MINUTE;
const at = (minutes: number): Date => new Date(Date.parse('2026-06-01T12:00:00Z') + minutes * MINUTE);
const kamailio = (severity: Vital['severity']): Vital => ({
  subject: 'kamailio',
  severity,
  detail: `it is ${severity}`,
});

/** What the operator is told in each minute of the given course. */
function course(...severities: Vital['severity'][]): string[] {
  let alerts: Alert[] = [];
  return severities.map((severity, minute) => {
    const now = at(minute);
    const seen = observe(alerts, [kamailio(severity)], now);
    const news = seen.filter((alert) => isNews(alert, now, COOLDOWN));
    alerts = seen.map((alert) => (news.includes(alert) ? told(alert, now) : alert));
    return news.map((alert) => alert.severity).join() || '-';
  });
}

describe('the operator is told', () => {
  it('once when a server goes down, and once when it is back', () => {
    expect(course('ok', 'fault', 'fault', 'fault', 'ok', 'ok')).toEqual(['-', 'fault', '-', '-', 'ok', '-']);
  });

  it('nothing of one that is well, nor of mere information', () => {
    expect(course('ok', 'info', 'ok')).toEqual(['-', '-', '-']);
  });

  it('of one that goes up and down no more often than the cool-down allows, and then how it is', () => {
    const told = course('fault', 'ok', 'fault', 'ok', 'fault', 'fault', 'ok');
    expect(told).toEqual(['fault', 'ok', '-', '-', '-', 'fault', 'ok']);
  });

  it('when a warning becomes worse or better', () => {
    expect(course('warning', 'fault', 'fault', 'fault', 'fault', 'fault', 'warning', 'ok')).toEqual([
      ...['warning', '-', '-', '-', '-', 'fault', 'warning', 'ok'],
    ]);
  });

  it('again after a day of what is still wrong', () => {
    const alert = told(observe([], [kamailio('fault')], at(0))[0]!, at(0));
    const later = (minutes: number): boolean =>
      isNews(observe([alert], [kamailio('fault')], at(minutes))[0]!, at(minutes), COOLDOWN);
    expect(later(1439)).toBe(false);
    expect(later(1440)).toBe(true);
  });

  it('in one mail of everything at once, the worst first, with what was seen', () => {
    const vitals: Vital[] = [
      { subject: 'disk', severity: 'warning', detail: 'only 1.0 GB are free' },
      kamailio('fault'),
      { subject: 'coturn', severity: 'fault', detail: 'TURN over UDP: refused\nTURN over TCP: refused' },
    ];
    const { subject, text } = alertText(observe([], vitals, at(0)), 'veil.test');
    expect(subject).toBe('[veil.test] DOWN: kamailio, coturn; WARNING: disk');
    expect(text).toContain(
      'coturn: DOWN since 2026-06-01 12:00:00 UTC\n  TURN over UDP: refused\n  TURN over TCP: refused\n',
    );
  });
});
