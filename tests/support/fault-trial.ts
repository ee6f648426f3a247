import { isDeepStrictEqual } from 'node:util';
import { expect } from '@jest/globals';
import type { AxiosResponse } from 'axios';
import type { Change, Operation } from './fault-operations.js';
import { FAULTS, type Plan } from './fault-plan.js';
import { type FaultRig, NEIGHBOURS, type Neighbour, type Steps } from './fault-rig.js';
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

/** Carries an operation out without a fault, and tells its steps: those that it takes twice in a row. */
export function stepsOf(operation: Operation, rig: FaultRig): Promise<Steps> {
  let before: Steps | undefined;
  return until('the operation succeeds twice with the same steps', async () => {
    const change = await operation();
    await rig.arm();
    const answer = await change.request(rig.api);
    rig.disarm();
    if (!succeeded(answer)) return undefined;
    await change.discard();
    const [steps, earlier] = [rig.steps, before];
    before = steps;
    return isDeepStrictEqual(steps, earlier) && steps;
  });
}

/** Every way in which one step can fail. Done with its answer lost is the same as refused where nothing stays of it. */
export const faultsAtEachStep = (steps: Steps): Trial[] =>
  trialsOf(steps, ({ step, stays }) =>
    FAULTS.filter((fault) => stays || fault !== 'apply_then_cut').map((fault) => ({ step, fault })),
  );

/** Every state of the stores in which a neighbour can be away from then on. */
export const outagesInEachState = (steps: Steps): Trial[] =>
  trialsOf(steps, ({ step, afterChange }) => (afterChange ? [{ step, fault: 'refuse', lasting: true }] : []));

/** A step, and what it is to the stores. */
interface Place {
  step: number;
  /** Whether what it does stays when its connection is lost. */
  stays: boolean;
  /** Whether it is the first after something that stays: whoever stops there leaves what nobody before it has left. */
  afterChange: boolean;
}

/** Trials of steps at every neighbour. */
export const trialsOf = (steps: Steps, plansFor: (place: Place) => Plan[]): Trial[] =>
  NEIGHBOURS.flatMap((neighbour) =>
    placesOf(steps[neighbour]).flatMap((place) =>
      plansFor(place).map((plan) => ({ neighbour, plan, steps: steps[neighbour].slice(0, place.step) })),
    ),
  );

function placesOf(steps: readonly string[]): Place[] {
  let inTransaction = false;
  let afterChange = true;
  return steps.map((what, index) => {
    if (what === 'begin') inTransaction = true;
    const stays = what === 'commit' || !(inTransaction || what.startsWith('SELECT '));
    if (what === 'commit' || what === 'rollback') inTransaction = false;
    const place = { step: index + 1, stays, afterChange };
    afterChange = stays;
    return place;
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
  return { answer, steps: rig.steps[neighbour].slice(0, plan.step) };
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
