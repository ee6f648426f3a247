import path from 'node:path';

/** The top of the repository, which up.sh has given its node and the built API. The working directory may be another. */
export const checkout = path.resolve(import.meta.dirname, '..', '..', '..');

export const NODE = path.join(checkout, 'node_modules', 'node', 'bin', 'node');

/** What NODE runs: the API, or its command line. */
export const program = (name: 'main' | 'cli'): string => path.join(checkout, 'api', 'dist', 'bundle', `${name}.js`);
