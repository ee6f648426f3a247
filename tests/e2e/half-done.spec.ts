/**
 * Nothing is ever half done: whatever fails at whichever step of an operation, the caller gets a clear answer, a
 * repeated request succeeds, and in the end all stores agree, on everything or on nothing.
 */
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { AxiosInstance } from 'axios';
import { apiClient, uniqueName } from '../support/api.js';
import {
  deleteGroupsOf,
  OPERATIONS,
  type Operation,
  type OperationName,
  operationsOn,
  type People,
  registerPeople,
} from '../support/fault-operations.js';
import { FaultRig, NEIGHBOURS, type Steps } from '../support/fault-rig.js';
import {
  describeTrial,
  expectAgreement,
  faultsAtEachStep,
  type LeftAlone,
  outagesFromEachStep,
  stepsOf,
  type Trial,
  tryStep,
} from '../support/fault-trial.js';
import { OwnApi } from '../support/own-api.js';
import { Stores, WHOLE_ACCOUNT } from '../support/stores.js';

/** So many trials run at once; most of their time they wait for a deadline. */
const RIGS = 6;
/** Within it the reapers have brought all stores to agreement: the leases of what was cut off have to run out first. */
const AGREEMENT_WITHIN_MS = 30_000;
/** Many steps, many deadlines to wait for. */
const TEST_TIMEOUT_MS = 300_000;

const stores = new Stores();
const stepsByOperation = new Map<OperationName, Steps>();
let people: People;
let operations: Record<OperationName, Operation>;
const rigs: FaultRig[] = [];

beforeAll(async () => {
  people = await registerPeople();
  operations = operationsOn(stores, people);
  await Promise.all(Array.from({ length: RIGS }, async () => rigs.push(await FaultRig.start())));
  for (const name of OPERATIONS) stepsByOperation.set(name, await stepsOf(operations[name], rigs[0]!));
});

afterEach(() => deleteGroupsOf(people));

afterAll(async () => {
  await Promise.all([...rigs.map((rig) => rig.stop()), stores.close()]);
  for (const [name, steps] of stepsByOperation) {
    const counts = NEIGHBOURS.map((neighbour) => `${steps[neighbour].length} at ${neighbour}`);
    process.stdout.write(`${name} takes ${counts.join(', ')}\n`);
  }
});

/** Runs the trials of an operation, each on the next rig that is free. */
async function runTrials(name: OperationName, trialsOf: (steps: Steps) => Trial[]): Promise<LeftAlone[]> {
  const waiting = trialsOf(stepsByOperation.get(name)!);
  const leftAlone: LeftAlone[] = [];
  const failures: string[] = [];
  const runOn = async (rig: FaultRig): Promise<void> => {
    for (let trial = waiting.shift(); trial; trial = waiting.shift()) {
      if (rig.api.obituary) throw new Error(rig.api.obituary);
      const attempt = tryStep(rig, operations[name], trial).then((left) => leftAlone.push(...left));
      await attempt.catch(noteFailure(failures, trial));
    }
  };
  await Promise.all(rigs.map((rig) => runOn(rig).catch((error: Error) => failures.push(error.message))));
  expect(failures).toEqual([]);
  return leftAlone;
}

async function expectAgreements(leftAlone: LeftAlone[]): Promise<void> {
  const failures: string[] = [];
  const deadline = performance.now() + AGREEMENT_WITHIN_MS;
  // One after the other: they settle by themselves meanwhile, and asking the stores is work.
  for (const left of leftAlone) await expectAgreement(left, deadline).catch(noteFailure(failures, left.trial));
  expect(failures).toEqual([]);
}

const noteFailure = (failures: string[], trial: Trial) => (error: unknown) => {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  failures.push(`${describeTrial(trial)}: ${error instanceof Error ? error.message : error}${cause}`);
};

describe('one step fails, and the request is repeated', () => {
  it.each(OPERATIONS)(
    '%s',
    async (name) => {
      await expectAgreements(await runTrials(name, faultsAtEachStep));
    },
    TEST_TIMEOUT_MS,
  );
});

describe('a server stays away, and nobody repeats the request', () => {
  it(
    'ends in agreement, whatever the operation',
    async () => {
      const leftAlone: LeftAlone[] = [];
      for (const name of OPERATIONS) leftAlone.push(...(await runTrials(name, outagesFromEachStep)));
      await expectAgreements(leftAlone);
    },
    TEST_TIMEOUT_MS,
  );
});

describe('50 registrations of one name at once', () => {
  async function expectOneWinner(clients: AxiosInstance[]): Promise<void> {
    const credentials = { username: uniqueName('rush'), password: 'correct horse battery' };
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => clients[index % clients.length]!.post('/account/register', credentials)),
    );
    const taken = answers.filter(({ status, data }) => status === 409 && data.code === 'username_taken');
    expect(taken).toHaveLength(49);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(await stores.account(credentials.username)).toEqual(WHOLE_ACCOUNT);
  }

  it('give it to one of them', () => expectOneWinner([apiClient()]));

  it('give it to one of them when two processes are asked', async () => {
    const second = await OwnApi.start({});
    await expectOneWinner([apiClient(), second.client()]).finally(() => second.stop());
  });
});

describe('the processes that lived through all that', () => {
  it('are alive, and met nothing unexpected', () => {
    for (const { api } of rigs) {
      expect(api.running).toBe(true);
      expect(api.log).not.toMatch(/internal_error|TypeError/);
    }
  });
});
