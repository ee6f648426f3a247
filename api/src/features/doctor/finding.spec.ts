import { expect, it } from '@jest/globals';
import { exitStatusOf, type Finding, fault, info, ok, type Verdict, warning, worstOf } from './finding.js';

const found = (...verdicts: Verdict[]): Finding[] =>
  verdicts.map((verdict, index) => ({ id: String(index), probed: 'something', ...verdict }));

it.each([
  [0, found()],
  [0, found(ok('well'), info('by the way'))],
  [1, found(ok('well'), warning('soon', 'act'), info('by the way'))],
  [2, found(fault('down', 'start it'), warning('soon', 'act'), ok('well'))],
])('tells monitoring %i', (status, findings) => {
  expect(exitStatusOf(findings)).toBe(status);
});

it('says the worst of all', () => {
  expect(worstOf([ok('well'), fault('down', 'start it'), info('by the way')])).toBe('fault');
  expect(worstOf([])).toBe('ok');
});
