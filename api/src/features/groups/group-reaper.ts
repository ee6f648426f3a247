import { Injectable, Logger, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { Recurring } from '../../common/recurring.js';
import { GroupChanges } from './group-changes.js';

const INTERVAL_MS = 2000;
const MOST_AT_ONCE = 20;

/** Looks for groups whose change was cut off; with several API processes each is mended by one of them. */
@Injectable()
export class GroupReaper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger = new Logger('group-reaper');
  private readonly recurring = new Recurring(
    INTERVAL_MS,
    () => this.changes.mendLeftovers(MOST_AT_ONCE, (error) => this.report(error)),
    (error) => this.report(error),
  );

  constructor(private readonly changes: GroupChanges) {}

  onApplicationBootstrap(): void {
    this.recurring.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await this.recurring.stop();
  }

  private report(error: unknown): void {
    this.logger.warn(`an unfinished group waits: ${error instanceof Error ? error.message : 'unknown'}`);
  }
}
