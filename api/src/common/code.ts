import { createHash, randomBytes } from 'node:crypto';

/** Crockford's base 32: no I, L, O or U, so that nobody has to guess what he reads. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GROUPS = 4;
const GROUP_LENGTH = 5;

/** What a code may be typed as: O is read as 0, I and L as 1. */
const TYPED = new RegExp(`^[0-9A-TV-Za-tv-z]{${GROUPS * GROUP_LENGTH}}$`);

const randomLetters = (count: number): string =>
  Array.from(randomBytes(count), (byte) => ALPHABET.charAt(byte & 31)).join('');

/** A new random code of 100 bits that people can type: `7K3QX-0M2AB-…`, four groups of five. */
export const newCode = (): string => Array.from({ length: GROUPS }, () => randomLetters(GROUP_LENGTH)).join('-');

/** Ten random letters and digits in lower case, of 50 bits: apart from others, but no secret. */
export const newName = (): string => randomLetters(10).toLowerCase();

/** A password of 256 bits that nobody is told. */
export const newPassword = (): string => randomBytes(32).toString('base64url');

/** The SHA-256 under which a code is kept, in whatever case and grouping it was typed; null for what can't be one. */
export function codeHash(typed: string): Buffer | null {
  const letters = typed.replace(/[\s-]/g, '');
  // Tested before it is folded: foreign letters fold to ASCII ones.
  if (!TYPED.test(letters)) return null;
  const code = letters.toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1');
  return createHash('sha256').update(code).digest();
}
