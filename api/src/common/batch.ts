import { setTimeout as delay, setImmediate as nextTurn } from 'node:timers/promises';

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

export interface BatchLimits {
  /** Items of one batch. */
  most: number;
  /**
   * From the beginning of one batch to that of the next, in milliseconds. Whoever comes alone does not wait; when many do,
   * fewer and larger batches cost less.
   */
  pauseMs: number;
}

/**
 * Does for many at once what is asked for one by one: whoever comes while a batch is under way is in the next. There is
 * never more than one under way, so the order in which things were added is that in which they are done.
 */
export class Batch<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private running: Promise<void> | undefined;
  private mayBeginAt = 0;

  /** @param work gives a result for each item, in their order; if it throws, all of the batch have failed */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly limits: BatchLimits,
  ) {}

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ item, resolve, reject });
      this.running ??= this.run();
    });
  }

  /** Resolves when everything that was added is done. */
  async idle(): Promise<void> {
    await this.running;
  }

  private async run(): Promise<void> {
    while (this.waiting.length > 0) {
      const early = this.mayBeginAt - performance.now();
      // What comes in the same turn comes along.
      await (early > 0 ? delay(early) : nextTurn());
      this.mayBeginAt = performance.now() + this.limits.pauseMs;
      await this.runOnce(this.waiting.splice(0, this.limits.most));
    }
    this.running = undefined;
  }

  private async runOnce(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.work(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => {
        resolve(results[index] as Result);
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    }
  }
}
