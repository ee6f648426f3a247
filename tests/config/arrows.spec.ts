import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';

/** The structure of api/src, held to docs/architecture.md: who may import whom, and what may stand where. */
const SOURCE = fileURLToPath(new URL('../../../api/src', import.meta.url));

interface SourceFile {
  /** Relative to api/src, with forward slashes. */
  path: string;
  text: string;
  imports: string[];
}

const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^;]*?from\s+'(\.[^']+)'|\bimport\(\s*'(\.[^']+)'/g;

function read(file: string): SourceFile {
  const text = readFileSync(path.join(SOURCE, file), 'utf8');
  const targets = [...text.matchAll(IMPORT)].map(([, static_, dynamic]) => static_ ?? dynamic ?? '');
  const imports = targets.map((target) => path.posix.join(path.posix.dirname(file), target).replace(/\.js$/, '.ts'));
  return { path: file, text, imports };
}

const everything = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map(read);

const isTest = ({ path: file }: SourceFile): boolean =>
  file.endsWith('.spec.ts') || file.startsWith('testing/') || file.endsWith('.fake.ts');

const product = everything.filter((file) => !isTest(file));

/** `features/account/x.ts` is of the layer `features`; files at the top are layers of their own. */
const layerOf = (file: string): string => file.split('/')[0] ?? file;

/** The layers that a layer may import, besides itself. */
const ARROWS: Record<string, string[]> = {
  common: [],
  config: ['common'],
  database: ['config', 'common'],
  http: ['database', 'config', 'common'],
  clients: ['config', 'common'],
  realtime: ['http', 'database', 'config', 'common'],
  features: ['realtime', 'http', 'clients', 'database', 'config', 'common'],
  'app.module.ts': ['features', 'realtime', 'http', 'database', 'config'],
  'app.ts': ['app.module.ts', 'http', 'config'],
  'main.ts': ['app.ts', 'http', 'config'],
  cli: ['app.ts', 'app.module.ts', 'features', 'http', 'database', 'config', 'common'],
  'cli.ts': ['cli'],
};

const violations = (rule: (file: SourceFile) => string[]): string[] =>
  product.flatMap((file) => rule(file).map((what) => `${file.path}: ${what}`));

const containing = (pattern: RegExp, allowed: (file: string) => boolean): string[] =>
  violations(({ path: file, text }) => (allowed(file) || !pattern.test(text) ? [] : [String(pattern)]));

const featureOf = (file: string): string | undefined => /^features\/([^/]+)\//.exec(file)?.[1];

function cycles(): string[] {
  const imports = new Map(product.map((file) => [file.path, file.imports]));
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (file: string, trail: string[]): void => {
    if (trail.includes(file)) found.push([...trail.slice(trail.indexOf(file)), file].join(' → '));
    if (done.has(file) || trail.includes(file)) return;
    for (const next of imports.get(file) ?? []) visit(next, [...trail, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

describe('the arrows of api/src', () => {
  it('reads the files that it judges', () => {
    expect(product.length).toBeGreaterThan(40);
    expect(product.find((file) => file.path === 'main.ts')?.imports).toContain('app.ts');
  });

  it('every layer imports only the layers below it', () => {
    const wrong = violations(({ path: file, imports }) => {
      const layer = layerOf(file);
      const allowed = ARROWS[layer];
      if (!allowed) return ['is of no known layer'];
      return imports.filter((target) => layerOf(target) !== layer && !allowed.includes(layerOf(target)));
    });
    expect(wrong).toEqual([]);
  });

  it('nothing goes in circles', () => {
    expect(cycles()).toEqual([]);
  });

  it("a feature uses another's services, never its repository", () => {
    const wrong = violations(({ path: file, imports }) =>
      imports.filter((target) => target.endsWith('.repository.ts') && featureOf(target) !== featureOf(file)),
    );
    expect(wrong).toEqual([]);
  });

  it('the product imports no fake and no test', () => {
    const wrong = violations(({ imports }) =>
      imports.filter((target) => /\.fake\.ts$|\.spec\.ts$|^testing\//.test(target)),
    );
    expect(wrong).toEqual([]);
  });

  it('SQL stands in repositories only', () => {
    const wrong = containing(/\bsql`|\btransaction`|\bsql\.begin/, (file) =>
      /\.repository\.ts$|^database\//.test(file),
    );
    expect(wrong).toEqual([]);
  });

  it('only config reads the environment', () => {
    expect(containing(/process\.env\b/, (file) => file.startsWith('config/'))).toEqual([]);
  });

  it('outgoing HTTP and datagrams stand in clients only', () => {
    const wrong = containing(/from 'axios'|from 'node:dgram'|(?<!\.)\bfetch\(/, (file) => file.startsWith('clients/'));
    expect(wrong).toEqual([]);
  });

  it('time and random identifiers come from common', () => {
    const allowed = (file: string): boolean => file.startsWith('common/');
    expect(containing(/\bDate\.now\(|\bnew Date\(\)|\brandomUUID\(|\bMath\.random\(/, allowed)).toEqual([]);
  });

  it('services know no HTTP status', () => {
    const service = ({ path: file }: SourceFile): boolean => /\.(service|repository)\.ts$/.test(file);
    const wrong = product.filter(service).filter(({ text }) => /HttpException|HttpStatus|\.status\(\d/.test(text));
    expect(wrong.map((file) => file.path)).toEqual([]);
  });
});
