/** `user@domain` as the product writes it (RFC 7622): lower case, without a resource. */
export const jidOf = (username: string, domain: string): string => `${username}@${domain}`;

/** The username of a bare JID of `domain`, or null when it is something else or of another domain. */
export function usernameOf(jid: string, domain: string): string | null {
  const suffix = `@${domain}`;
  const bare = jid.toLowerCase();
  return bare.endsWith(suffix) && bare.length > suffix.length ? bare.slice(0, -suffix.length) : null;
}
