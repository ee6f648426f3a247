/**
 * The short form of the fault suite (`npm run test:faults`): under steady work by REST, XMPP and SIP every server is killed
 * at once, and those that keep what was promised stand still. Nothing is lost, and the platform is well again by itself.
 */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Audit } from '../faults/audit.js';
import { Census } from '../faults/census.js';
import { type Fault, freeze, killAll } from '../faults/faults.js';
import { Load } from '../faults/load.js';
import { tryFault } from '../faults/trial.js';

const FROZEN_MS = 3000;
const CASES: Fault[] = [killAll, freeze('postgres', FROZEN_MS), freeze('ejabberd', FROZEN_MS)];

let load: Load;
let census: Census;
let audit: Audit;

beforeAll(async () => {
  load = await Load.prepare();
  census = new Census(load.prefix);
  audit = new Audit(load.world, census);
});

afterAll(async () => {
  await load.end();
  await Promise.all([audit.close(), census.close()]);
});

describe('the platform at work survives', () => {
  it.each(CASES.map((fault) => [fault.what, fault] as const))('%s', async (_what, fault) => {
    const result = await tryFault(fault, load, audit);
    expect(result.violations).toEqual([]);
    expect(result.lost).toBe(0);
    expect(result.requests).toBeGreaterThan(0);
    expect(result.recoveredAfter).toBeDefined();
  });
});
