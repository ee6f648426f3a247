/**
 * How a step fails: not begun (`refuse`), never answered (`hang`), or done with its answer lost (`apply_then_cut`).
 * From the outside the three look alike; what they leave behind does not.
 */
export const FAULTS = ['refuse', 'hang', 'apply_then_cut'] as const;
export type Fault = (typeof FAULTS)[number];

export interface Plan {
  /** The number of the step that fails; the first one is 1. */
  step: number;
  fault: Fault;
  /** Whether everything after that step fails as well, new connections included: the server stays away. */
  lasting?: boolean;
}

/** Counts the steps that a proxy sees while it is armed, and says which of them fails. */
export class FaultPlan {
  /** What each step asked for, in order. */
  readonly steps: string[] = [];
  /** Is told of each step. */
  onStep: (what: string) => void = () => {};
  private armed = false;
  private plan: Plan | undefined;
  private running = 0;
  private endedAt = 0;

  /** Counts anew from here on. Without a plan nothing fails. */
  arm(plan?: Plan): void {
    this.steps.length = 0;
    this.armed = true;
    this.plan = plan;
  }

  /** Lets everything pass, uncounted. */
  disarm(): void {
    this.armed = false;
  }

  /** A request is under way; `leave` says that it is no more, however it ended. */
  enter(): void {
    this.running += 1;
  }

  leave(): void {
    this.running -= 1;
    this.endedAt = performance.now();
  }

  /** How long nothing has been asked for, in milliseconds. */
  get restMs(): number {
    return this.running > 0 ? 0 : performance.now() - this.endedAt;
  }

  /** Whether the server is away for good, until it is disarmed. */
  get away(): boolean {
    return this.armed && this.plan?.lasting === true && this.steps.length >= this.plan.step;
  }

  /** Counts a step and says how it fails, if it does. */
  next(step: string): Fault | undefined {
    if (!this.armed) return undefined;
    this.steps.push(step);
    this.onStep(step);
    return this.steps.length === this.plan?.step || this.away ? this.plan?.fault : undefined;
  }
}
