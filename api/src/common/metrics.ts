import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type { Counter, Histogram } from 'prom-client';

/** From a quick answer of ours to the longest deadline of a neighbour, in seconds. */
const BUCKETS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

/**
 * What this process counts and measures, in the words of Prometheus. Whoever has something to tell makes its metric
 * here once, when it is made itself; names are unique and get the prefix `veil_`. The values of a label come from a
 * short list of our own, never from a request: each combination is kept for as long as the process lives.
 */
export class Metrics {
  private readonly registry = new Registry();
  private scraped = false;

  /** What only grows. By convention the name ends with `_total`. */
  counter<Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) {
    return new Counter({ name: `veil_${name}`, help, labelNames, registers: [this.registry] });
  }

  /** How long something takes. By convention the name ends with `_seconds`, and so are the values. */
  histogram<Label extends string = never>(name: string, help: string, labelNames: readonly Label[] = []) {
    return new Histogram({ name: `veil_${name}`, help, labelNames, buckets: BUCKETS, registers: [this.registry] });
  }

  /** What goes up and down: `read` is asked at each scrape. */
  gauge(name: string, help: string, read: () => number): void {
    const collect = function (this: Gauge): void {
      this.set(read());
    };
    new Gauge({ name: `veil_${name}`, help, registers: [this.registry], collect });
  }

  /** The same for several things, each under its name in the label. */
  gauges<Label extends string>(name: string, help: string, label: Label, read: () => [string, number][]): void {
    const collect = function (this: Gauge<Label>): void {
      this.reset();
      for (const [thing, value] of read()) this.set({ [label]: thing } as Record<Label, string>, value);
    };
    new Gauge({ name: `veil_${name}`, help, labelNames: [label], registers: [this.registry], collect });
  }

  /** Everything, in the text format of Prometheus 0.0.4. */
  text(): Promise<string> {
    // Of the process and its event loop from the first scrape on: who never asks does not pay for the timers.
    if (!this.scraped) collectDefaultMetrics({ register: this.registry });
    this.scraped = true;
    return this.registry.metrics();
  }
}
