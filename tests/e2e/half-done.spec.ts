/**
 * Nothing is ever half done: whatever fails at whichever step of an operation, the caller gets a clear answer, a
 * repeated request succeeds, and in the end all stores agree, on everything or on nothing.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { AxiosInstance } from 'axios';
import { apiClient, uniqueName } from '../support/api.js';
import {
  OPERATIONS,
  type Operation,
  type OperationName,
  operationsOn,
  registerPeople,
} from '../support/fault-operations.js';
import { FaultRig, NEIGHBOURS, type Step, stepsAt } from '../support/fault-rig.js';
import {
  describeTrial,
  expectAgreement,
  faultsAtEachStep,
  type LeftAlone,
  outagesInEachState,
  stepsOf,
  type Trial,
  tryStep,
} from '../support/fault-trial.js';
import { OwnApi } from '../support/own-api.js';
import { Pool } from '../support/pool.js';
import { Stores, WHOLE_ACCOUNT } from '../support/stores.js';

/** So many trials run at once; most of their time they wait for a deadline. */
const BENCHES = 6;
/** Within it the reapers have brought all stores to agreement: the leases of what was cut off have to run out first. */
const AGREEMENT_WITHIN_MS = 120_000;

const stores = new Stores();
/** Where trials are made, one at a time: a rig, and operations between accounts that nobody else changes meanwhile. */
interface Bench {
  rig: FaultRig;
  operations: Record<OperationName, Operation>;
}

const benches = new Pool<Bench>();
const stepsByOperation = new Map<OperationName, Promise<Step[]>>();
/** What went wrong with each operation. All begin at once: while the stores of one come to agree, others are tried. */
const faults = new Map<OperationName, Promise<string[]>>();
const outages = new Map<OperationName, Promise<string[]>>();

beforeAll(async () => {
  benches.add(await Promise.all(Array.from({ length: BENCHES }, makeBench)));
  for (const name of OPERATIONS) {
    const steps = benches.use(({ rig, operations }) => stepsOf(operations[name], rig));
    stepsByOperation.set(name, steps);
  }
  for (const name of OPERATIONS) faults.set(name, failuresOf(name, faultsAtEachStep));
  for (const name of OPERATIONS) outages.set(name, failuresOf(name, outagesInEachState));
});

afterAll(async () => {
  await Promise.all([...benches.all.map(({ rig }) => rig.stop()), stores.close()]);
  for (const [name, taken] of stepsByOperation) {
    const steps = await taken;
    const counts = NEIGHBOURS.map((neighbour) => `${stepsAt(neighbour, steps).length} at ${neighbour}`);
    process.stdout.write(`${name} takes ${counts.join(', ')}\n`);
  }
});

async function makeBench(): Promise<Bench> {
  const [rig, people] = await Promise.all([FaultRig.start(), registerPeople()]);
  return { rig, operations: operationsOn(stores, people) };
}

/** Carries all trials of an operation out, each at the next bench that is free, and tells what went wrong. */
async function failuresOf(name: OperationName, trialsOf: (steps: Step[]) => Trial[]): Promise<string[]> {
  const failures: string[] = [];
  const leftAlone: LeftAlone[] = [];
  const attempt = (trial: Trial): Promise<void> =>
    benches.use(async ({ rig, operations }) => {
      if (rig.api.obituary) throw new Error(rig.api.obituary);
      leftAlone.push(...(await tryStep(rig, operations[name], trial)));
    });
  const trials = trialsOf(await stepsByOperation.get(name)!);
  await Promise.all(trials.map((trial) => attempt(trial).catch(noteFailure(failures, trial))));
  const deadline = performance.now() + AGREEMENT_WITHIN_MS;
  // One after the other: they settle by themselves meanwhile, and asking the stores is work.
  for (const left of leftAlone) await expectAgreement(left, deadline).catch(noteFailure(failures, left.trial));
  return failures;
}

const noteFailure = (failures: string[], trial: Trial) => (error: unknown) => {
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  failures.push(`${describeTrial(trial)}: ${error instanceof Error ? error.message : error}${cause}`);
};

describe('one step fails, and the request is repeated: in the end all stores agree', () => {
  it.each(OPERATIONS)('%s', async (name) => expect(await faults.get(name)).toEqual([]));
});

describe('a server stays away, and nobody repeats the request: in the end all stores agree', () => {
  it.each(OPERATIONS)('%s', async (name) => expect(await outages.get(name)).toEqual([]));
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
    for (const { rig } of benches.all) {
      expect(rig.api.running).toBe(true);
      expect(rig.api.log).not.toMatch(/internal_error|TypeError/);
    }
  });
});
