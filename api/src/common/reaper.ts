import {
  type BeforeApplicationShutdown,
  Logger,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
  type Type,
} from '@nestjs/common';

const INTERVAL_MS = 2000;
const MOST_AT_ONCE = 20;

/**
 * Finishes `most` things that a crash or a failed neighbour left, or more where it has to keep up with their number; one
 * that fails again is told to `onFailure`. Once `stopping` is aborted it begins no other.
 */
export type Reap = (most: number, onFailure: (error: unknown) => void, stopping: AbortSignal) => Promise<void>;

/**
 * Looks for unfinished work as long as the application lives, never twice at once. With several API processes, what is
 * to be finished must be claimed: each thing is then taken by one of them.
 */
export class Reaper implements OnApplicationBootstrap, OnModuleDestroy, BeforeApplicationShutdown {
  private readonly logger: Logger;
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private readonly stopping = new AbortController();

  constructor(
    name: string,
    private readonly reap: Reap,
  ) {
    this.logger = new Logger(name);
  }

  onApplicationBootstrap(): void {
    this.schedule();
  }

  /** Nothing is begun any more. */
  onModuleDestroy(): void {
    this.stopping.abort();
    clearTimeout(this.timer);
  }

  /** Resolves when the current run has ended: what it works with lives until then. */
  async beforeApplicationShutdown(): Promise<void> {
    await this.running;
  }

  private schedule(): void {
    if (this.stopping.signal.aborted) return;
    this.timer = setTimeout(() => {
      this.running = this.run().then(() => this.schedule());
    }, INTERVAL_MS);
    this.timer.unref();
  }

  private async run(): Promise<void> {
    const report = (error: unknown): void => {
      this.logger.warn(`something unfinished waits: ${error instanceof Error ? error.message : 'unknown'}`);
    };
    await this.reap(MOST_AT_ONCE, report, this.stopping.signal).catch(report);
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
