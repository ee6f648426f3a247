// bundle.mjs: makes of dist, and of the packages that every start needs, what runs: dist/bundle. Node spends most of the
// start of an API on finding and opening 2,600 small files (docs/decisions/0044-one-file-to-start.md).
import { build } from 'esbuild';

/**
 * Loaded when they are needed, or found by their path. An `import()` of what is in the bundle would find no names of a
 * package that is CommonJS.
 */
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

const here = (path) => new URL(path, import.meta.url).pathname;

await build({
  entryPoints: [here('dist/main.js'), here('dist/cli.js')],
  outdir: here('dist/bundle'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  external: [...PACKAGES, ...ABSENT],
  // Nest names providers and schemas by their classes.
  keepNames: true,
  legalComments: 'none',
  // For what packages require that is not JavaScript of theirs: Node's own modules.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
  },
  logLevel: 'warning',
});
