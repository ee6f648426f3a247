import { normalEmail } from '../../common/email.js';
import { usernameOf } from '../../common/jid.js';
import { invalidField } from '../../common/problem.js';
import { foldUsername } from './username.js';

/** How a request names an account: clients of one kind send `username`, of another `email`. */
export interface NamedAccount {
  username?: string | undefined;
  email?: string | undefined;
}

/** What was typed for a name, in either field. @throws Problem validation_failed */
export function typedName({ username, email }: NamedAccount): string {
  const typed = username ?? email;
  if (!typed) throw invalidField('username', 'or email is required');
  if (username && email) throw invalidField('email', 'can not be sent along with username');
  return typed;
}

/** What a typed name may be: the username of an account, as it is or as a JID of `domain`, and an e-mail address; null for neither. */
export const readingsOf = (typed: string, domain: string) => ({
  username: foldUsername(usernameOf(typed, domain) ?? typed),
  email: normalEmail(typed),
});

/** An address for an account that is about to be made, in its normal form. @throws Problem validation_failed */
export function requireEmail(typed: string): string {
  const email = normalEmail(typed);
  if (!email) throw invalidField('email', 'must be an e-mail address');
  return email;
}
