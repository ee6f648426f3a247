import { expect, it } from '@jest/globals';
import { type Finding, fault, ok } from './finding.js';
import { asJson, asTable } from './report.js';

const WELL: Finding = { id: 'api', probed: 'REST API', ...ok('answers') };
const ILL: Finding = {
  id: 'turn.udp',
  probed: 'STUN and TURN over UDP at turn.example.com:3478',
  ...fault(`nothing listens there: ${'calls have no sound '.repeat(6).trim()}`, 'start coturn'),
};

it('is a table for people: what was found, and below it what to do', () => {
  expect(asTable([WELL, ILL], 2.34, { onlyTrouble: false })).toBe(
    [
      'ok       REST API: answers',
      'FAULT    STUN and TURN over UDP at turn.example.com:3478: nothing listens there: calls have no sound calls',
      '         have no sound calls have no sound calls have no sound calls have no sound calls have no sound',
      '         → start coturn',
      '',
      '2 findings in 2.3 s: 1 ok, 1 fault',
      '',
    ].join('\n'),
  );
});

it('shows only trouble when that is all that is wanted, and nothing when there is none', () => {
  const shown = asTable([WELL, ILL], 2, { onlyTrouble: true });
  expect(shown).toContain('FAULT');
  expect(shown).not.toContain('REST API');
  expect(asTable([WELL], 2, { onlyTrouble: true })).toBe('');
});

it('does not break a word that is longer than a line', () => {
  const long = `https://example.com/${'x'.repeat(200)}`;
  expect(asTable([{ ...WELL, ...ok(long) }], 1, { onlyTrouble: false })).toContain(long);
});

it('prints nothing that steers a terminal', () => {
  expect(asTable([{ ...WELL, ...ok('\u001b[2Jgone\u009b') }], 1, { onlyTrouble: false })).toContain(
    'REST API:  [2Jgone ',
  );
});

it('is JSON for machines', () => {
  expect(JSON.parse(asJson([WELL, ILL], 2.34))).toEqual({ status: 'fault', seconds: 2.3, findings: [WELL, ILL] });
});
