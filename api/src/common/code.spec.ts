import { describe, expect, it } from '@jest/globals';
import { codeHash, newCode } from './code.js';

describe('codes for people', () => {
  it('are four groups of five, never the same, from every letter of the alphabet', () => {
    const codes = Array.from({ length: 500 }, newCode);
    for (const code of codes) expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{5}-){3}[0-9A-HJKMNP-TV-Z]{5}$/);
    expect(new Set(codes).size).toBe(500);
    expect(new Set(codes.join('').replaceAll('-', '')).size).toBe(32);
  });

  it('are found again however they are typed', () => {
    const hash = codeHash('01ABC-DEFGH-JKMNP-QRST1');
    expect(hash).toHaveLength(32);
    for (const typed of ['01abcdefghjkmnpqrst1', ' oLabc defgh-jkmnp qrstI ', 'Oiabc-defgh-jkmnp-qrstl']) {
      expect(codeHash(typed)).toEqual(hash);
    }
    expect(codeHash('01ABC-DEFGH-JKMNP-QRST2')).not.toEqual(hash);
  });

  it.each(['', '01ABC', 'U1ABC-DEFGH-JKMNP-QRST1', '01ABC-DEFGH-JKMNP-QRST1-0', 'ſ1ABC-DEFGH-JKMNP-QRST1'])(
    'are not %j',
    (typed) => expect(codeHash(typed)).toBeNull(),
  );
});
