import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Recurring } from '../../common/recurring.js';
import { AccountRemoval } from './account-removal.js';

const INTERVAL_MS = 2000;
const MOST_AT_ONCE = 20;

/** Looks for unfinished registrations and deletions; with several API processes each row is taken by one of them. */
@Injectable()
export class AccountReaper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('account-reaper');
  private readonly recurring = new Recurring(
    INTERVAL_MS,
    () => this.removal.finishLeftovers(MOST_AT_ONCE, (error) => this.report(error)),
    (error) => this.report(error),
  );

  constructor(private readonly removal: AccountRemoval) {}

  onApplicationBootstrap(): void {
    this.recurring.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.recurring.stop();
  }

  private report(error: unknown): void {
    this.logger.warn(`an unfinished account waits: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}
