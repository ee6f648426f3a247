// Stories against the containers of docker-compose.yml. Run by `scripts/test.sh containers`, which starts them first.
export default {
  rootDir: 'dist/containers',
  testEnvironment: 'node',
  testRegex: '\\.spec\\.js$',
  transform: {},
  // This bounds a hang, it measures nothing.
  testTimeout: 1_800_000,
};
