import { createHash } from 'node:crypto';
import { invalidField } from '../../common/problem.js';

let commonPasswords: Promise<Set<string>> | undefined;

/** The list is loaded with the first registration: it takes some 40 ms that no start has to wait for. */
function loadCommonPasswords(): Promise<Set<string>> {
  commonPasswords ??= import('@zxcvbn-ts/language-common').then(
    ({ dictionary }) => new Set(dictionary['passwords-common']),
  );
  return commonPasswords;
}

/** Refuses passwords that everybody tries first (NIST SP 800-63B §3.1.1.2). @throws Problem validation_failed */
export async function requireUncommonPassword(username: string, password: string): Promise<void> {
  const folded = password.toLowerCase();
  if (folded === username) throw invalidField('password', 'must not be the username');
  if ((await loadCommonPasswords()).has(folded)) throw invalidField('password', 'is one of the most common passwords');
}

const md5 = (text: string): string => createHash('md5').update(text).digest('hex');

/** What Kamailio checks a SIP digest against (RFC 2617 §3.2.2.2); MD5 because SIP clients speak nothing else. */
export interface SipCredentials {
  ha1: string;
  ha1b: string;
}

/** Of the password's normal form: the chat server takes every other form for the same password (RFC 4013). */
export function sipCredentials(username: string, domain: string, password: string): SipCredentials {
  const normal = password.normalize('NFKC');
  return {
    ha1: md5(`${username}:${domain}:${normal}`),
    ha1b: md5(`${username}@${domain}:${domain}:${normal}`),
  };
}
