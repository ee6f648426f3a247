import { describe, expect, it } from '@jest/globals';
import { Secret } from '../../common/secret.js';
import { PairingCodes } from './pairing-code.js';

const ALICE = '6f1c0a52-0000-4000-8000-000000000001';
const BOB = '6f1c0a52-0000-4000-8000-000000000002';

describe('pairing codes', () => {
  const codes = new PairingCodes(new Secret('0123456789abcdefghijklmnopqrstuvwxyz'));

  it('are six digits of the whole range', () => {
    const made = Array.from({ length: 5000 }, () => codes.make());
    expect(made.every((code) => /^\d{6}$/.test(code))).toBe(true);
    expect(made.some((code) => code.startsWith('0'))).toBe(true);
    expect(new Set(made).size).toBeGreaterThan(4900);
  });

  it('are known again, of the same account and with the same key only', () => {
    const hash = codes.hash(ALICE, '012345');
    expect(codes.hash(ALICE, '012345')).toEqual(hash);
    expect(codes.hash(BOB, '012345')).not.toEqual(hash);
    expect(codes.hash(ALICE, '012346')).not.toEqual(hash);
    const others = new PairingCodes(new Secret('another-0123456789abcdefghijklmnop'));
    expect(others.hash(ALICE, '012345')).not.toEqual(hash);
  });

  it.each(['', '12345', '1234567', '12345a', ' 12345', '12345\n', '١٢٣٤٥٦'])('%j is none', (text) => {
    expect(codes.hash(ALICE, text)).toBeNull();
  });
});
