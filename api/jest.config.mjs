import { fileURLToPath } from 'node:url';

const common = {
  rootDir: fileURLToPath(new URL('dist', import.meta.url)),
  testEnvironment: 'node',
  transform: {},
  setupFiles: [fileURLToPath(new URL('jest.setup.mjs', import.meta.url))],
};

// unit: services with fakes, milliseconds. medium: createApp() against a real PostgreSQL.
export default {
  workerIdleMemoryLimit: '512MB',
  // Bounds a hang on a busy machine; it measures nothing.
  testTimeout: 300_000,
  projects: [
    { ...common, displayName: 'unit', testRegex: '(?<!\\.medium)\\.spec\\.js$' },
    { ...common, displayName: 'medium', testRegex: '\\.medium\\.spec\\.js$' },
  ],
};
