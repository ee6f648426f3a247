import { domainToASCII } from 'node:url';
import { isEmail } from 'class-validator';

/** A path of SMTP holds 256 octets with its brackets (RFC 5321 §4.5.3.1.3). */
const MOST_OCTETS = 254;
const PLAIN = { blacklisted_chars: '"' };

/**
 * The form in which an e-mail address is kept and compared: NFC, lower case, the domain in ASCII (RFC 5891). The
 * standard would let a mailbox differ by case, but people type it as they like. Null for what is no address; quoted
 * mailboxes are none here.
 */
export function normalEmail(typed: string): string | null {
  const folded = typed.trim().normalize('NFC').toLowerCase().normalize('NFC');
  // Asked before the domain is converted, which drops line breaks and reads percent signs.
  if (!isEmail(folded, PLAIN)) return null;
  const at = folded.lastIndexOf('@');
  const address = `${folded.slice(0, at)}@${domainToASCII(folded.slice(at + 1))}`;
  return Buffer.byteLength(address) <= MOST_OCTETS && isEmail(address, PLAIN) ? address : null;
}
