import { newName } from '../../common/code.js';
import { invalidField } from '../../common/problem.js';

const USERNAME = /^[a-zA-Z0-9_]{3,32}$/;

/** Names that would speak for the server, or that software expects at the root of a domain (RFC 2142). */
const RESERVED = new Set([
  ...['abuse', 'admin', 'administrator', 'api', 'ejabberd', 'hostmaster', 'info', 'kamailio', 'mail', 'moderator'],
  ...['muc', 'noc', 'null', 'operator', 'postmaster', 'pubsub', 'push', 'root', 'security', 'server', 'sip', 'staff'],
  ...['support', 'sysadmin', 'system', 'turn', 'undefined', 'upload', 'veil', 'webmaster', 'www', 'xmpp'],
]);

/** The stored form of a username: lower case. It is tested before it is folded, since foreign letters fold to ASCII ones. */
export function foldUsername(raw: string): string | null {
  return USERNAME.test(raw) ? raw.toLowerCase() : null;
}

/** The folded username of a new account. @throws Problem validation_failed */
export function requireUsername(raw: string): string {
  const username = foldUsername(raw);
  if (!username) throw invalidField('username', 'must be 3 to 32 letters a-z, digits or underscores');
  if (RESERVED.has(username)) throw invalidField('username', 'is reserved');
  return username;
}

/** A name for somebody who wished for none; it tells nothing about him. */
export const madeUpUsername = (): string => `user_${newName()}`;
