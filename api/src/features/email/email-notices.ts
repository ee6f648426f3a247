import { Injectable, type OnModuleInit } from '@nestjs/common';
import { AccountEvents } from '../account/account-events.js';
import { EmailRepository } from './email.repository.js';
import { Outbox } from './outbox.js';

/** Mails that follow from what happens to an account. */
@Injectable()
export class EmailNotices implements OnModuleInit {
  constructor(
    private readonly events: AccountEvents,
    private readonly emails: EmailRepository,
    private readonly outbox: Outbox,
  ) {}

  onModuleInit(): void {
    this.events.on('email_named', (accountId) => this.askForProof(accountId));
    this.events.on('password_changed', (accountId) => this.tellOwner(accountId));
  }

  /** An address that somebody registered with can open nothing before it is proved. */
  private async askForProof(accountId: string): Promise<void> {
    const { email, verified } = await this.emails.find(accountId);
    if (email && !verified) await this.outbox.enqueue('verify_email', accountId, email);
  }

  private async tellOwner(accountId: string): Promise<void> {
    const { email, verified } = await this.emails.find(accountId);
    if (email && verified) await this.outbox.enqueue('password_changed', accountId, email);
  }
}
