import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import type { AxiosResponse } from 'axios';
import type { Change, Operation } from './fault-operations.js';
import { FAULTS, type Plan } from './fault-plan.js';
import { type FaultRig, NEIGHBOURS, type Neighbour, type Step, stepsAt } from './fault-rig.js';
import { until } from './wait.js';

/** Within it a first request is answered, whatever fails: as docs/operations.md says. */
const ANSWER_WITHIN_MS = 16_000;
/** A reaper that is at work already may come between the steps of an operation; not so often. */
const MOST_DISTURBANCES = 20;

/** One step of an operation that is to fail. */
export interface Trial {
  neighbour: Neighbour;
  plan: Plan;
  /** The steps up to the one that fails. */
  steps: string[];
}

/** A change that was cut, and that nobody asks for any more. */
export interface LeftAlone {
  change: Change;
  rig: FaultRig;
  trial: Trial;
  /** Whether the caller was told that it is made, or will be. */
  promised: boolean;
}

/** Carries an operation out without a fault, and tells its steps: those that each neighbour sees twice in a row. */
export function stepsOf(operation: Operation, rig: FaultRig): Promise<Step[]> {
  let before: string[][] = [];
  return until('the operation succeeds twice with the same steps', async () => {
    const change = await operation();
    await rig.arm();
    const answer = await change.request(rig.api);
    rig.disarm();
    const steps = [...rig.steps];
    if (!succeeded(answer)) return undefined;
    await change.discard();
    const [seen, earlier] = [NEIGHBOURS.map((neighbour) => stepsAt(neighbour, steps)), before];
    before = seen;
    return isDeepStrictEqual(seen, earlier) && steps;
  });
}

/** Every way in which one step can fail. Done with its answer lost is the same as refused where nothing stays of it. */
export const faultsAtEachStep = (steps: readonly Step[]): Trial[] =>
  trialsOf(steps, (number, { stays }) =>
    FAULTS.filter((fault) => stays || fault !== 'apply_then_cut').map((fault) => ({ step: number, fault })),
  );

/** Every state of the stores from which on a neighbour can be away. */
export const outagesInEachState = (steps: readonly Step[]): Trial[] =>
  trialsOf(steps, (step, { afterChange }) => (afterChange ? [{ step, fault: 'refuse', lasting: true }] : []));

/** What a step is to the stores. */
interface Effect {
  /** Whether what it does stays when its connection is lost. */
  stays: boolean;
  /** Whether anything stays of what was done since the step before at its neighbour: it fails in another state than that one. */
  afterChange: boolean;
}

/** Trials of the steps of an operation, by neighbour. `plansFor` gets the number of a step at its neighbour. */
export function trialsOf(steps: readonly Step[], plansFor: (step: number, effect: Effect) => Plan[]): Trial[] {
  const effects = effectsOf(steps);
  return NEIGHBOURS.flatMap((neighbour) => {
    const own = effects.filter((_, index) => steps[index]?.neighbour === neighbour);
    const whats = stepsAt(neighbour, steps);
    return own.flatMap((effect, index) =>
      plansFor(index + 1, effect).map((plan) => ({ neighbour, plan, steps: whats.slice(0, index + 1) })),
    );
  });
}

/** Of a read nothing stays, nor of what is done in a transaction before its commit. */
function effectsOf(steps: readonly Step[]): Effect[] {
  let inTransaction = false;
  let changes = 0;
  const changesAt = new Map<Neighbour, number>();
  return steps.map(({ neighbour, what }) => {
    const afterChange = changesAt.get(neighbour) !== changes;
    changesAt.set(neighbour, changes);
    if (what === 'begin') inTransaction = true;
    const undone = neighbour === 'postgresql' && what !== 'commit' && (inTransaction || what.startsWith('SELECT '));
    if (what === 'commit' || what === 'rollback') inTransaction = false;
    if (!undone) changes += 1;
    return { stays: !undone, afterChange };
  });
}

export const describeTrial = ({ neighbour, plan, steps }: Trial): string =>
  `${neighbour}: ${plan.fault} at step ${plan.step}${plan.lasting ? ' and after' : ''} (${steps.at(-1)})`;

/** Lets one step of a fresh change fail. What the caller can't bring to an end is returned, for `expectAgreement`. */
export async function tryStep(rig: FaultRig, operation: Operation, trial: Trial): Promise<LeftAlone[]> {
  const leftAlone: LeftAlone[] = [];
  let instead = '';
  for (let tries = 0; tries <= MOST_DISTURBANCES; tries += 1) {
    const change = await operation();
    const { answer, steps } = await cut(rig, change, trial);
    const final = succeeded(answer) || trial.plan.lasting || change.repeated === undefined;
    const last = final ? answer : await askUntilMade(rig, change);
    // Who is told that a change is made finds it so in every store, at once.
    if (succeeded(last)) {
      expect(await change.stores()).toEqual(change.done);
      await change.discard();
    } else leftAlone.push({ change, rig, trial, promised: isPromise(change, last) });
    // Asking until a room is gone takes a step more or less: the change may be made before it is that step's turn.
    const asPlanned = isDeepStrictEqual(steps, trial.steps.slice(0, steps.length));
    if (asPlanned && (steps.length === trial.steps.length || succeeded(answer))) return leftAlone;
    instead = firstDifference(steps, trial.steps);
  }
  throw new Error(`the operation never takes the same steps twice, at last ${instead}`);
}

function firstDifference(steps: string[], expected: string[]): string {
  const index = expected.findIndex((step, each) => step !== steps[each]);
  return `step ${index + 1} was ${steps[index] ?? 'none'} instead of ${expected[index]}`;
}

/** Asks for a change of which a step fails, and tells the steps up to there. */
async function cut(rig: FaultRig, change: Change, { neighbour, plan }: Trial) {
  await rig.arm(neighbour, plan);
  const startedAt = performance.now();
  const answer = await change.request(rig.api);
  rig.disarm();
  expect(performance.now() - startedAt).toBeLessThan(ANSWER_WITHIN_MS);
  expectClear(answer);
  return { answer, steps: rig.stepsAt(neighbour).slice(0, plan.step) };
}

/** Success, or a problem that says who failed. */
function expectClear({ status, headers, data }: AxiosResponse): void {
  if (status < 300) return;
  expect(headers['content-type']).toContain('application/problem+json');
  expect(data).toMatchObject({ status: 503, code: expect.stringMatching(/^(chat_server|database)_unavailable$/) });
}

const succeeded = ({ status }: AxiosResponse): boolean => status === 200 || status === 201;

const isPromise = (change: Change, { status, data }: AxiosResponse): boolean =>
  status < 300 || data.code === change.repeated;

/** Repeats the request until it succeeds, or is told that it had. */
const askUntilMade = (rig: FaultRig, change: Change): Promise<AxiosResponse> =>
  until('a repeated request succeeds', async () => {
    const answer = await change.request(rig.api);
    if (isPromise(change, answer)) return answer;
    throw new Error(`answered ${answer.status} ${answer.data.code}`);
  });

/**
 * All stores come to agree on what nobody asks for any more; if that is on nothing, the change can still be made.
 * @param deadline on the clock of `performance`
 */
export async function expectAgreement({ change, rig, promised }: LeftAlone, deadline: number): Promise<void> {
  const outcome = await until(
    'all stores agree',
    async () => {
      const stores = await change.stores();
      if (isDeepStrictEqual(stores, change.done)) return 'done';
      if (isDeepStrictEqual(stores, change.undone)) return 'undone';
      throw new Error(JSON.stringify(stores));
    },
    { timeoutMs: deadline - performance.now() },
  );
  if (outcome === 'undone') {
    expect(promised).toBe(false);
    await askUntilMade(rig, change);
    await until('all stores agree on it', async () => isDeepStrictEqual(await change.stores(), change.done));
  }
  await change.discard();
}
