/** Things of which each is used by one at a time: who comes when none is free waits, in the order of coming. */
export class Pool<T> {
  readonly all: T[] = [];
  private readonly free: T[] = [];
  private readonly waiting: ((one: T) => void)[] = [];

  add(things: readonly T[]): void {
    this.all.push(...things);
    for (const thing of things) this.release(thing);
  }

  async use<R>(work: (one: T) => Promise<R>): Promise<R> {
    const one = this.free.pop() ?? (await new Promise<T>((resolve) => this.waiting.push(resolve)));
    try {
      return await work(one);
    } finally {
      this.release(one);
    }
  }

  private release(one: T): void {
    const next = this.waiting.shift();
    if (next) next(one);
    else this.free.push(one);
  }
}
