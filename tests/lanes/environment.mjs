import { readFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TestEnvironment } from 'jest-environment-node';

const READY_WITHIN_MS = 60_000;
const ASK_AGAIN_MS = 100;

/**
 * Points a worker of jest to the platform of its own that scripts/test.sh has started: the settings are in the file
 * `lane<number of the worker>.env` of the directory TEST_LANES. Without that there is one platform, in the environment.
 * A test environment is made outside of the sandbox: what it sets, processes that a story starts get as well.
 */
export default class LaneEnvironment extends TestEnvironment {
  constructor(config, context) {
    if (process.env.TEST_LANES) Object.assign(process.env, settingsOfLane(process.env.JEST_WORKER_ID));
    super(config, context);
  }

  /** A story before may have killed servers that answer again, but do not all know it of each other yet. */
  async setup() {
    await super.setup();
    const deadline = performance.now() + READY_WITHIN_MS;
    while (!(await isReady())) {
      if (performance.now() > deadline) throw new Error('the platform is not ready for a story');
      await delay(ASK_AGAIN_MS);
    }
  }
}

function settingsOfLane(number) {
  const file = path.join(process.env.TEST_LANES, `lane${number}.env`);
  const lines = readFileSync(file, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
}

async function isReady() {
  try {
    const answer = await fetch(`http://${process.env.SERVER_IP}:${process.env.API_PORT}/health/ready`);
    return (await answer.json()).status === 'ready';
  } catch {
    return false;
  }
}
