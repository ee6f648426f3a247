// End-to-end stories: real servers, real clients, one file a story. Run by scripts/test.sh, which starts the platform first.
export default {
  rootDir: 'dist',
  testEnvironment: '../lanes/environment.mjs',
  testSequencer: '../lanes/sequencer.mjs',
  testRegex: '\\.spec\\.js$',
  testPathIgnorePatterns: ['<rootDir>/containers/'],
  transform: {},
  // Whatever a story waits for has a time of its own (support/wait.ts): this bounds a hang, it measures nothing.
  testTimeout: 1_800_000,
};
