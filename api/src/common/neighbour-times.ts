import type { Counter, Histogram, Metrics } from './metrics.js';

/** The servers that others have built, and that the API works with. */
export type Neighbour =
  | 'postgresql'
  | 'ejabberd'
  | 'kamailio'
  | 'rtpengine'
  | 'coturn'
  | 'google'
  | 'smtp'
  | 'apns'
  | 'fcm'
  | 'webpush';

const LABELS = ['neighbour', 'operation'] as const;
type Labels = (typeof LABELS)[number];

/** How long the neighbours take to answer, and how often they fail. Every client asks its neighbour through this. */
export class NeighbourTimes {
  private readonly seconds: Histogram<Labels>;
  private readonly failures: Counter<Labels>;

  constructor(metrics: Metrics) {
    this.seconds = metrics.histogram('neighbour_seconds', 'How long a neighbour took to answer, or to fail', LABELS);
    this.failures = metrics.counter('neighbour_failures_total', 'Questions that a neighbour failed', LABELS);
  }

  /**
   * Asks, and measures how long it takes. What is thrown counts as a failure of the neighbour, unless `isFailure`
   * knows better. @param operation what is asked: one of a few words of ours
   */
  async measure<T>(
    neighbour: Neighbour,
    operation: string,
    ask: () => PromiseLike<T>,
    isFailure: (error: unknown) => boolean = () => true,
  ): Promise<T> {
    const end = this.seconds.startTimer({ neighbour, operation });
    try {
      return await ask();
    } catch (error) {
      if (isFailure(error)) this.failed(neighbour, operation);
      throw error;
    } finally {
      end();
    }
  }

  /** The neighbour has answered, and not as it should. */
  failed(neighbour: Neighbour, operation: string): void {
    this.failures.inc({ neighbour, operation });
  }
}
