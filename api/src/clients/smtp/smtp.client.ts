import { Inject, Injectable } from '@nestjs/common';
import { createTransport } from 'nodemailer';
import { NeighbourTimes } from '../../common/neighbour-times.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { SmtpConfig } from '../../config/mail.config.js';

export interface Mail {
  /** In its normal form. */
  to: string;
  subject: string;
  text: string;
}

/** The mail server will never take this mail: trying again is of no use. */
export class MailRefused extends Error {}

/** What nodemailer tells of a failure, as far as it holds neither addresses nor text. */
interface Failure {
  code?: unknown;
  responseCode?: unknown;
  command?: unknown;
}

/** Steps of SMTP at which a 5xx is about this mail, not about us (RFC 5321 §4.2.1). */
const ABOUT_THE_MAIL = new Set(['RCPT TO', 'DATA']);

/** Hands mails to the mail server of the settings (RFC 5321, RFC 6409), over a connection of its own each. */
@Injectable()
export class Mailer {
  private readonly transport: ReturnType<typeof transportOf> | undefined;

  constructor(
    @Inject(CONFIG) { mail, neighbours, addresses }: Config,
    private readonly times: NeighbourTimes,
  ) {
    if (mail.smtp) this.transport = transportOf(mail.smtp, addresses.xmppDomain, neighbours.timeoutMs);
  }

  /** Whether there is a mail server. */
  get enabled(): boolean {
    return this.transport !== undefined;
  }

  /** @throws Problem mail_off when there is no mail server */
  requireEnabled(): void {
    if (!this.enabled) throw new Problem('mail_off', 'the operator of this server has set no SMTP_HOST');
  }

  /**
   * Resolves when the mail server has taken the mail.
   * @throws MailRefused when it never will, Error when it may later; neither tells the address
   */
  send(mail: Mail): Promise<void> {
    return this.times.measure(
      'smtp',
      'send',
      () => this.handOver(mail),
      (error) => !(error instanceof MailRefused),
    );
  }

  private async handOver(mail: Mail): Promise<void> {
    try {
      await this.transport?.sendMail({ ...mail, to: { name: '', address: mail.to } });
    } catch (error) {
      throw failureOf(error as Failure);
    }
  }
}

function transportOf({ host, port, security, authority, login, from }: SmtpConfig, domain: string, timeout: number) {
  return createTransport(
    {
      host,
      port,
      name: domain,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(authority && { tls: { ca: authority } }),
      ...(login && { auth: { user: login.user, pass: login.password.reveal() } }),
      dnsTimeout: timeout,
      connectionTimeout: timeout,
      greetingTimeout: timeout,
      socketTimeout: timeout,
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    // RFC 3834 §5: no machine shall answer.
    { from: { name: domain, address: from }, headers: { 'Auto-Submitted': 'auto-generated' } },
  );
}

function failureOf({ code, responseCode, command }: Failure): Error {
  const step = typeof command === 'string' ? command.split(':', 1)[0]! : '';
  const detail = `the mail server failed (${[code, responseCode, step].filter(Boolean).join(' ')})`;
  const final = typeof responseCode === 'number' && responseCode >= 500 && ABOUT_THE_MAIL.has(step);
  return final ? new MailRefused(detail) : new Error(detail);
}
