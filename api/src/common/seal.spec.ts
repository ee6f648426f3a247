import { describe, expect, it } from '@jest/globals';
import { Seal } from './seal.js';
import { Secret } from './secret.js';

const [older, newer] = [
  new Secret('a secret of some length, the older'),
  new Secret('a secret of some length, the newer'),
];

describe('a seal', () => {
  const seal = new Seal([newer, older], 'test');

  it('opens what it sealed, never twice in the same form', () => {
    const [one, two] = [seal.seal('grüße', 'alice'), seal.seal('grüße', 'alice')];
    expect(seal.open(one, 'alice')).toBe('grüße');
    expect(one).not.toEqual(two);
    expect(one.includes('gr')).toBe(false);
  });

  it('has a nonce of its own, each of thousands', () => {
    const nonces = Array.from({ length: 5000 }, () => seal.seal('', 'alice').toString('hex', 0, 12));
    expect(new Set(nonces).size).toBe(5000);
  });

  it('opens nothing for another context, purpose or secret, and nothing altered or cut', () => {
    const sealed = seal.seal('text', 'alice');
    expect(seal.open(sealed, 'bob')).toBeNull();
    expect(new Seal([newer], 'else').open(sealed, 'alice')).toBeNull();
    expect(new Seal([older], 'test').open(sealed, 'alice')).toBeNull();
    expect(seal.open(Buffer.from(sealed).fill(0, 13, 14), 'alice')).toBeNull();
    expect(seal.open(sealed.subarray(0, 20), 'alice')).toBeNull();
  });

  it('opens what the previous secret sealed', () => {
    expect(seal.open(new Seal([older], 'test').seal('text', 'alice'), 'alice')).toBe('text');
  });
});
