import { describe, expect, it } from '@jest/globals';
import type { Certificate } from '../../clients/probes/certificate.js';
import { certificateFindings, judge } from './certificate.rules.js';

const NOW = new Date('2026-06-01T12:00:00Z');
const inDays = (days: number): Date => new Date(NOW.getTime() + days * 86_400_000);
const certificate = (changes: Partial<Certificate> = {}): Certificate => ({
  fingerprint: 'AA:BB',
  distrust: undefined,
  name: 'chat.example.com',
  coversName: true,
  validFrom: inDays(-30),
  validUntil: inDays(60),
  ...changes,
});

describe('a certificate', () => {
  it.each([
    ['ok', 60],
    ['ok', 14],
    ['warning', 13.9],
    ['warning', 3],
    ['fault', 2.9],
    ['fault', 0.5],
    ['fault', -1],
  ] as const)('is %s when it ends in %d days', (severity, days) => {
    expect(judge(certificate({ validUntil: inDays(days) }), NOW)).toMatchObject({ severity });
  });

  it.each([
    [{ validFrom: inDays(1) }, 'not valid yet'],
    [{ coversName: false }, 'for other names'],
    [{ distrust: 'SELF_SIGNED_CERT_IN_CHAIN' }, 'self-signed'],
    [{ distrust: 'DEPTH_ZERO_SELF_SIGNED_CERT' }, 'self-signed'],
    [{ distrust: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' }, 'leaves out those in between'],
    [{ distrust: 'CERT_REVOKED' }, 'CERT_REVOKED'],
    [{ validUntil: inDays(-1), distrust: 'CERT_HAS_EXPIRED', coversName: false }, 'expired on 2026-05-31'],
  ])('is a fault with a remedy when %j', (changes, detail) => {
    const verdict = judge(certificate(changes), NOW);
    expect(verdict).toMatchObject({ severity: 'fault', detail: expect.stringContaining(detail) });
    expect(verdict.remedy).toBeTruthy();
  });
});

it('is told of once for each name, with all the ports that show it', () => {
  const other = certificate({ name: 'example.com', coversName: false });
  const findings = certificateFindings(
    [
      { id: 'xmpp.tls', place: '5223 (XMPP)', certificate: certificate() },
      { id: 'sip.tls', place: '5061 (SIP)', certificate: certificate() },
      { id: 'xmpp.starttls', place: '5222 (XMPP)', certificate: other },
    ],
    NOW,
  );
  expect(findings).toMatchObject([
    { id: 'certificate.xmpp.tls', probed: 'Certificate for chat.example.com at 5223 (XMPP), 5061 (SIP)' },
    { id: 'certificate.xmpp.starttls', severity: 'fault' },
  ]);
});
