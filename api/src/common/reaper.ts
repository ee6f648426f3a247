import {
  Logger,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type Provider,
  type Type,
} from '@nestjs/common';

const INTERVAL_MS = 2000;
const MOST_AT_ONCE = 20;

/** Finishes at most `most` things that a crash or a failed neighbour left; one that fails again is told to `onFailure`. */
export type Reap = (most: number, onFailure: (error: unknown) => void) => Promise<void>;

/**
 * Looks for unfinished work as long as the application lives, never twice at once. With several API processes, what is
 * to be finished must be claimed: each thing is then taken by one of them.
 */
export class Reaper implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    name: string,
    private readonly reap: Reap,
  ) {
    this.logger = new Logger(name);
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  /** No run starts any more; resolves when the current one has ended. */
  async onApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private schedule(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.run().then(() => this.schedule());
    }, INTERVAL_MS);
    this.timer.unref();
  }

  private async run(): Promise<void> {
    const report = (error: unknown): void => {
      this.logger.warn(`something unfinished waits: ${error instanceof Error ? error.message : 'unknown'}`);
    };
    await this.reap(MOST_AT_ONCE, report).catch(report);
  }
}

/** Injection token: whether this process works in the background. A verb of the command line leaves that to the API. */
export const BACKGROUND = Symbol('Background');

/** A provider of the reaper `name` for the leftovers of `owner`; none where nothing is done in the background. */
export const reaperOf = <T>(name: string, owner: Type<T>, reap: (owner: T) => Reap): Provider => ({
  provide: name,
  useFactory: (instance: T, background: boolean) => (background ? new Reaper(name, reap(instance)) : null),
  inject: [owner, BACKGROUND],
});
