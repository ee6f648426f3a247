import { readFileSync } from 'node:fs';
import path from 'node:path';
import { TestEnvironment } from 'jest-environment-node';

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
}

function settingsOfLane(number) {
  const file = path.join(process.env.TEST_LANES, `lane${number}.env`);
  const lines = readFileSync(file, 'utf8').split('\0').filter(Boolean);
  return Object.fromEntries(lines.map((line) => line.split(/=(.*)/s, 2)));
}
