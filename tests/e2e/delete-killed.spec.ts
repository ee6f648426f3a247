/**
 * The process that deletes an account is killed, whatever it has done by then: another one finishes the deletion, or the
 * account is whole and can be deleted.
 */
import { isDeepStrictEqual } from 'node:util';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { apiClient } from '../support/api.js';
import { type Change, type Operation, operationsOn, type People, registerPeople } from '../support/fault-operations.js';
import { FaultRig } from '../support/fault-rig.js';
import { describeTrial, stepsOf, type Trial, trialsOf } from '../support/fault-trial.js';
import { Stores } from '../support/stores.js';
import { until } from '../support/wait.js';

/** So many processes are killed at once. */
const AT_ONCE = 3;
const MOST_TRIES = 5;

/** A deletion that was cut off, and where. */
interface Cut {
  change: Change;
  trial: Trial;
}

const stores = new Stores();
let people: People;
let deleteAccount: Operation;
let trials: Trial[];

beforeAll(async () => {
  people = await registerPeople();
  deleteAccount = operationsOn(stores, people)['delete account'];
  const rig = await FaultRig.start();
  try {
    trials = trialsOf(await stepsOf(deleteAccount, rig), (step, { afterChange }) =>
      afterChange ? [{ step, fault: 'hang' }] : [],
    );
  } finally {
    await rig.stop();
  }
});

afterAll(() => stores.close());

it('ends in agreement, wherever it is cut off', async () => {
  const failures: string[] = [];
  const noteFailure = (trial: Trial) => (error: Error) => {
    failures.push(`${describeTrial(trial)}: ${error.message} ${error.cause ?? ''}`);
  };
  const waiting = [...trials];
  const cut: Cut[] = [];
  const work = async (): Promise<void> => {
    for (let trial = waiting.shift(); trial; trial = waiting.shift()) {
      const attempt = cutOff(trial).then((one) => cut.push(one));
      await attempt.catch(noteFailure(trial));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  // One after the other, when all are cut: meanwhile they are finished, and asking the stores is work.
  for (const { change, trial } of cut) await expectAgreement(change).catch(noteFailure(trial));
  expect(failures).toEqual([]);
  // Three servers, and some of its steps before the account is closed: else this would prove less than it says.
  expect(new Set(trials.map(({ neighbour }) => neighbour)).size).toBe(3);
});

/** Lets a fresh account be deleted, and the process be killed at the step. */
async function cutOff(trial: Trial): Promise<Cut> {
  for (let tries = 0; tries < MOST_TRIES; tries += 1) {
    const change = await deleteAccount();
    if (await killAtStep(change, trial)) return { change, trial };
  }
  throw new Error('the deletion never gets there');
}

/**
 * Kills the process when it has asked for the step, which is then never done; what was done before it stays. False when
 * the deletion was put off before, on a machine that is too busy for its deadlines.
 */
async function killAtStep(change: Change, { neighbour, plan }: Trial): Promise<boolean> {
  const rig = await FaultRig.start();
  try {
    await rig.arm(neighbour, plan);
    let answered = false;
    const answer = change.request(rig.api).then(
      () => {
        answered = true;
      },
      () => {},
    );
    const isThere = () => rig.stepsAt(neighbour).length >= plan.step;
    await until('it takes the step', () => isThere() || answered);
    const killed = isThere() && !answered;
    await rig.api.kill();
    await answer;
    return killed;
  } finally {
    await rig.stop();
  }
}

async function expectAgreement(change: Change): Promise<void> {
  const outcome = await until('all stores agree, when its lease has run out', async () => {
    const found = await change.stores();
    if (isDeepStrictEqual(found, change.done)) return 'done';
    if (isDeepStrictEqual(found, change.undone)) return 'undone';
    throw new Error(JSON.stringify(found));
  });
  if (outcome === 'done') return;
  expect((await change.request({ client: apiClient })).status).toBe(200);
  expect(await change.stores()).toEqual(change.done);
}
