const common = {
  rootDir: 'dist',
  testEnvironment: 'node',
  transform: {},
  setupFiles: ['<rootDir>/../jest.setup.mjs'],
};

// unit: services with fakes, milliseconds. medium: createApp() against a real PostgreSQL.
export default {
  workerIdleMemoryLimit: '512MB',
  projects: [
    { ...common, displayName: 'unit', testRegex: '(?<!\\.medium)\\.spec\\.js$' },
    { ...common, displayName: 'medium', testRegex: '\\.medium\\.spec\\.js$' },
  ],
};
