import { setImmediate as nextTurn } from 'node:timers/promises';

interface Waiting<Item, Result> {
  item: Item;
  resolve(result: Result): void;
  reject(reason: unknown): void;
}

/**
 * Does for many at once what is asked for one by one: whoever comes while a batch is under way is in the next. There is
 * never more than one under way, so the order in which things were added is that in which they are done.
 */
export class Batch<Item, Result> {
  private readonly waiting: Waiting<Item, Result>[] = [];
  private running: Promise<void> | undefined;

  /**
   * @param work gives a result for each item, in their order; if it throws, all of the batch have failed
   * @param most items of one batch
   */
  constructor(
    private readonly work: (items: readonly Item[]) => Promise<readonly Result[]>,
    private readonly most: number,
  ) {}

  /** How many wait for a batch. */
  get backlog(): number {
    return this.waiting.length;
  }

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
    // What comes in the same turn comes along.
    await nextTurn();
    while (this.waiting.length > 0) await this.runOnce(this.waiting.splice(0, this.most));
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
