import { Injectable, Logger } from '@nestjs/common';

/** `email_named`: the account was made with an address that nobody has proved yet. */
export type AccountEvent = 'email_named' | 'password_changed';

/** What a feature does when something has happened to an account. */
export type AccountListener = (accountId: string) => Promise<void>;

/** Tells other features what has happened to an account. It has happened: a listener that fails changes nothing about it. */
@Injectable()
export class AccountEvents {
  private readonly logger = new Logger('account');
  private readonly listeners: { event: AccountEvent; listener: AccountListener }[] = [];

  on(event: AccountEvent, listener: AccountListener): void {
    this.listeners.push({ event, listener });
  }

  async tell(event: AccountEvent, accountId: string): Promise<void> {
    for (const { listener } of this.listeners.filter((one) => one.event === event)) {
      await listener(accountId).catch((error: unknown) => {
        this.logger.error(`what follows ${event} failed: ${error instanceof Error ? error.message : 'unknown'}`);
      });
    }
  }
}
