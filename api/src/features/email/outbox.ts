import { Inject, Injectable, Logger } from '@nestjs/common';
import { Mailer, MailRefused } from '../../clients/smtp/smtp.client.js';
import { Clock } from '../../common/clock.js';
import { newId } from '../../common/ids.js';
import { jidOf } from '../../common/jid.js';
import { CONFIG, type Config } from '../../config/config.js';
import { CODE_LIFETIMES, OneTimeCodes } from '../account/one-time-codes.js';
import { type MailKind, textOf } from './mail-texts.js';
import { type Addressee, type Found, type MailRow, OutboxRepository } from './outbox.repository.js';

const SECOND = 1000;
const HOUR = 3600 * SECOND;

/** How long it is tried to send a mail, in milliseconds. Whoever waits for a new password does not wait longer. */
const USEFUL_MS = {
  reset_password: HOUR,
  verify_email: 24 * HOUR,
  email_changed: 24 * HOUR,
  password_changed: 24 * HOUR,
};

/** Mails of one kind that an address gets within an hour, about one account and in all: nobody's mailbox is flooded. */
const MOST_OF_ACCOUNT = 5;
const MOST_OF_ADDRESS = 20;
/** Within this time, whoever asks again to reset a password has a code already, or it is under way. */
const RESET_PAUSE_MS = 60 * SECOND;

/** In neighbour timeouts: SMTP takes a dozen answers, and each may come late. Longer than sending one mail takes. */
const LEASE_TIMEOUTS = 15;
const FIRST_RETRY_MS = 5 * SECOND;
const LONGEST_RETRY_MS = 300 * SECOND;

/**
 * Sends mails in the background, each until the mail server has taken or refused it. A code is made when its mail is
 * sent, so none is kept; a mail that is sent twice, since an answer was lost, has another code, and the last one counts.
 */
@Injectable()
export class Outbox {
  private readonly logger = new Logger('mail');

  constructor(
    private readonly mails: OutboxRepository,
    private readonly mailer: Mailer,
    private readonly codes: OneTimeCodes,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /** @throws Problem mail_off when there is no mail server */
  requireOn(): void {
    this.mailer.requireEnabled();
  }

  /** Keeps a mail to an account's address, in the place of others of its kind that still wait. Without a mail server, nothing. */
  async enqueue(kind: MailKind, accountId: string, email: string): Promise<void> {
    if (!this.mailer.enabled) return;
    const mail = await this.add(kind, accountId, email);
    await this.mails.assign(mail, accountId, email);
  }

  /** Keeps a wish to reset a password. What it takes does not depend on whether there is such an account. */
  async enqueueReset(typed: string): Promise<void> {
    await this.add('reset_password', null, typed);
  }

  /** Sends at most `most` mails that are due, up to the first that fails for now. */
  async deliver(most: number, onFailure: (error: unknown) => void, stopping?: AbortSignal): Promise<void> {
    if (!this.mailer.enabled) return;
    const leaseMs = LEASE_TIMEOUTS * this.config.neighbours.timeoutMs;
    for (let tried = 0; tried < most && !stopping?.aborted; tried += 1) {
      const mail = await this.mails.claim(this.clock.now(), this.later(leaseMs));
      if (!mail) return;
      try {
        await this.process(mail);
      } catch (error) {
        onFailure(error);
        return this.mails.postpone(mail.id, this.later(retryAfter(mail.attempts)));
      }
    }
  }

  /** Forgets mails whose time is over, up to a hundred for each of `most`. */
  async removeExpired(most: number): Promise<void> {
    const unsent = await this.mails.removeExpired(this.clock.now(), most * 100);
    if (unsent > 0) this.logger.error(`${unsent} mails could not be sent in time and were dropped`);
  }

  private async add(kind: MailKind, accountId: string | null, recipient: string): Promise<MailRow> {
    const mail = { id: newId(), kind, accountId, recipient, attempts: 0, expiresAt: this.later(USEFUL_MS[kind]) };
    await this.mails.add(mail, this.clock.now());
    return mail;
  }

  /** Ends with the mail sent or removed. @throws Error when it should be tried again */
  private async process(mail: MailRow): Promise<void> {
    const found = mail.accountId
      ? { accountId: mail.accountId, email: mail.recipient }
      : await this.mails.findProved(mail.recipient);
    const account = found && (await this.mails.addressee(found.accountId));
    if (account?.status !== 'active' || !found) return this.mails.remove(mail.id);
    if (!mail.accountId && !(await this.mails.assign(mail, found.accountId, found.email))) return;
    if (await this.isTooOften(mail.kind, found)) return this.drop(mail, 'its address has got enough');
    await this.send(mail, account, found.email);
  }

  private async send(mail: MailRow, account: Addressee, to: string): Promise<void> {
    const {
      addresses,
      mail: { codePageUrl },
    } = this.config;
    const code = await this.codeFor(mail.kind, account.id, to);
    const jid = jidOf(account.username, account.domain);
    try {
      await this.mailer.send({ to, ...textOf(mail.kind, { jid, domain: addresses.xmppDomain, code, codePageUrl }) });
    } catch (error) {
      if (error instanceof MailRefused) return this.drop(mail, error.message);
      throw error;
    }
    await this.mails.markSent(mail.id, this.clock.now(), this.later(HOUR));
  }

  private async codeFor(kind: MailKind, accountId: string, email: string): Promise<string | null> {
    if (kind === 'reset_password') return this.codes.issue(accountId, kind, CODE_LIFETIMES.resetByMail, email);
    if (kind === 'verify_email') return this.codes.issue(accountId, kind, CODE_LIFETIMES.verifyEmail, email);
    return null;
  }

  private async isTooOften(kind: MailKind, { accountId, email }: Found): Promise<boolean> {
    const { total, own, lastOwn } = await this.mails.sentSince(this.later(-HOUR), kind, accountId, email);
    if (total >= MOST_OF_ADDRESS || own >= MOST_OF_ACCOUNT) return true;
    return kind === 'reset_password' && lastOwn !== null && lastOwn > this.later(-RESET_PAUSE_MS);
  }

  private async drop({ id, kind }: MailRow, reason: string): Promise<void> {
    this.logger.warn(`a mail (${kind}) was dropped: ${reason}`);
    await this.mails.remove(id);
  }

  private later(ms: number): Date {
    return new Date(this.clock.milliseconds() + ms);
  }
}

const retryAfter = (attempts: number): number => Math.min(FIRST_RETRY_MS * 2 ** (attempts - 1), LONGEST_RETRY_MS);
