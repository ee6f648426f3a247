// bundle.mjs: makes of dist, and of the packages that every start needs, what runs: dist/bundle. Node spends most of the
// start of an API on finding and opening 2,600 small files (docs/decisions/0044-few-files-to-start.md).
import { fileURLToPath } from 'node:url';
import { build } from 'rolldown';

/** Loaded when they are needed, or found by their path. */
const PACKAGES = [
  '@parse/node-apn',
  '@redis/client',
  '@zxcvbn-ts/language-common',
  'firebase-admin',
  'swagger-ui-dist',
  'web-push',
];

/** What packages look for and do without. */
const ABSENT = [
  '@fastify/multipart',
  '@fastify/view',
  '@nestjs/microservices',
  '@nestjs/platform-express',
  '@nestjs/websockets',
  'bufferutil',
  'class-transformer',
  'utf-8-validate',
];

const NOT_INCLUDED = [...PACKAGES, ...ABSENT];
const here = (path) => fileURLToPath(new URL(path, import.meta.url));

await build({
  input: { main: here('dist/main.js'), cli: here('dist/cli.js') },
  platform: 'node',
  external: (id) => NOT_INCLUDED.some((name) => id === name || id.startsWith(`${name}/`)),
  output: { dir: here('dist/bundle'), format: 'esm', cleanDir: true },
  logLevel: 'warn',
});
