import { expect, it } from '@jest/globals';
import { Scram } from './scram.js';

/** The example of RFC 7677 §3, with its nonce. */
function example(): Scram {
  const scram = new Scram('user', 'pencil');
  Object.assign(scram, { nonce: 'rOprNGfwEbeRWgbNEkqO' });
  return scram;
}
const CHALLENGE = 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096';

it('computes what RFC 7677 says', async () => {
  const scram = example();
  expect(scram.first).toBe('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
  expect(await scram.final(CHALLENGE)).toBe(
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
  );
  scram.verify('v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=');
});

it('refuses a server that cannot prove that it knows the account', async () => {
  const scram = example();
  expect(() => scram.verify('v=')).toThrow('does not prove');
  await scram.final(CHALLENGE);
  expect(() => scram.verify('v=AAAATRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=')).toThrow('does not prove');
});

it.each([
  'r=somebody-elses-nonce,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
  CHALLENGE.replace('4096', '2000000000'),
  'e=other-error',
])('refuses the challenge %s', async (challenge) => {
  await expect(example().final(challenge)).rejects.toThrow('does not prove');
});
