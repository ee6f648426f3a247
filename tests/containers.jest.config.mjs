// Stories against the containers of docker-compose.yml. Run by `scripts/test.sh containers`, which starts them first.
export default {
  rootDir: 'dist/containers',
  testEnvironment: 'node',
  testRegex: '\\.spec\\.js$',
  transform: {},
  testTimeout: 60_000,
};
