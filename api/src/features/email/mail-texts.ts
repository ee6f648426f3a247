import type { Mail } from '../../clients/smtp/smtp.client.js';

export type MailKind = 'reset_password' | 'verify_email' | 'email_changed' | 'password_changed';

/** What a text speaks of. */
export interface MailSubject {
  jid: string;
  /** The name of this server. */
  domain: string;
  /** The code of a mail that carries one. */
  code: string | null;
  /** Page that takes codes; empty: there is none. */
  codePageUrl: string;
}

type Text = Omit<Mail, 'to'>;

/** The code stands in the fragment: no server and no log sees that part of a URL (RFC 3986 §3.5). */
const linkOf = (kind: MailKind, { code, codePageUrl }: MailSubject): string =>
  codePageUrl && `Or open this page, which fills it in:\n\n    ${codePageUrl}#${kind}=${code}\n\n`;

const TEXTS: Record<MailKind, (subject: MailSubject) => Text> = {
  reset_password: (subject) => ({
    subject: `Reset your password on ${subject.domain}`,
    text: `A new password for the account ${subject.jid} was asked for.
With this code one can be set, once, within an hour:

    ${subject.code}

${linkOf('reset_password', subject)}If you did not ask for it, do nothing: your password stays as it is.
`,
  }),
  verify_email: (subject) => ({
    subject: `Confirm your e-mail address on ${subject.domain}`,
    text: `The account ${subject.jid} wants to use this e-mail address.
If that is your account, confirm it with this code within a day,
where you are logged in:

    ${subject.code}

${linkOf('verify_email', subject)}If it is not, do nothing, and give the code to nobody.
`,
  }),
  email_changed: (subject) => ({
    subject: `Your e-mail address on ${subject.domain} was removed`,
    text: `The account ${subject.jid} no longer uses this e-mail address:
it was changed or removed by somebody who is logged in to the account.

If that was not you, change your password and tell the operator of
${subject.domain}.
`,
  }),
  password_changed: (subject) => ({
    subject: `Your password on ${subject.domain} was changed`,
    text: `The account ${subject.jid} has a new password.
Devices that were logged in with the old one have been logged out.

If that was not you, reset your password and tell the operator of
${subject.domain}.
`,
  }),
};

export const textOf = (kind: MailKind, subject: MailSubject): Text => TEXTS[kind](subject);
