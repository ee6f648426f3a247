/**
 * Runs a job again and again, never twice at once: the next run is due `intervalMs` after the last one ended.
 * A run that throws is reported and does not end the series.
 */
export class Recurring {
  private timer: NodeJS.Timeout | undefined;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly intervalMs: number,
    private readonly job: () => Promise<void>,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  start(): void {
    if (this.stopped) return;
    this.timer = setTimeout(() => {
      this.running = this.job()
        .catch(this.onFailure)
        .then(() => this.start());
    }, this.intervalMs);
    this.timer.unref();
  }

  /** No run starts any more; resolves when the current one has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }
}
