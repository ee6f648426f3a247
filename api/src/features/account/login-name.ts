import { normalEmail } from '../../common/email.js';
import { usernameOf } from '../../common/jid.js';
import { invalidField } from '../../common/problem.js';
import type { AccountRepository } from './account.repository.js';
import { foldUsername } from './username.js';

/** How a request names an account: clients of one kind send `username`, of another `email`. */
export interface NamedAccount {
  username?: string;
  email?: string;
}

/** What was typed for a name, in either field. @throws Problem validation_failed */
export function typedName({ username, email }: NamedAccount): string {
  const typed = username ?? email;
  if (!typed) throw invalidField('username', 'or email is required');
  if (username && email) throw invalidField('email', 'can not be sent along with username');
  return typed;
}

/** What a typed name may be: the username of an account, as it is or as a JID of `domain`, and an e-mail address. */
export const readingsOf = (typed: string, domain: string) => ({
  username: foldUsername(usernameOf(typed, domain) ?? typed),
  email: normalEmail(typed),
});

/**
 * The username behind what somebody logs in with; null for what names nobody. An address of our own domain is a JID
 * first: the account of that username must not be shadowed by one that has the address.
 */
export async function findUsername(typed: string, domain: string, accounts: AccountRepository): Promise<string | null> {
  const { username, email } = readingsOf(typed, domain);
  if (!email) return username;
  return (await accounts.findUsername(username, email, domain)) ?? username;
}

/** An address for an account that is about to be made, in its normal form. @throws Problem validation_failed */
export function requireEmail(typed: string): string {
  const email = normalEmail(typed);
  if (!email) throw invalidField('email', 'must be an e-mail address');
  return email;
}
