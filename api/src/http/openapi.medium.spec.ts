import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { ModulesContainer } from '@nestjs/core';
import { TestApp } from '../testing/app.js';
import { type Operation, operationsOf } from '../testing/operations.js';
import { RATE_LIMIT } from './access.js';

let app: TestApp;
let operations: Operation[];
beforeAll(async () => {
  app = await TestApp.start();
  operations = await operationsOf(app);
});
afterAll(() => app.stop());

/** The methods of all controllers that have a limit, as the document names them. */
function limited(): string[] {
  const modules = [...app.app.get(ModulesContainer).values()];
  return modules
    .flatMap(({ controllers }) => [...controllers.values()])
    .flatMap(({ name, metatype }) => {
      const methods = Object.entries(Object.getOwnPropertyDescriptors(metatype?.prototype ?? {}));
      return methods
        .filter(([, { value }]) => typeof value === 'function' && Reflect.hasMetadata(RATE_LIMIT, value))
        .map(
          ([method]) =>
            `${String(name)
              .replace(/Controller$/, '')
              .toLowerCase()}_${method}`,
        );
    });
}

/** Of a route with several paths the document numbers the operations. */
const called = (id: string) => (operation: Operation) => operation.id.replace(/\[\d+\]$/, '') === id;

it('tells of every route with a limit that it may be too much', () => {
  const ids = limited();
  expect(ids.length).toBeGreaterThan(20);
  for (const id of ids) {
    const found = operations.filter(called(id));
    expect([id, found.length > 0]).toEqual([id, true]);
    for (const { title, answers } of found) expect([title, answers['429']]).toEqual([title, 'ProblemDocument']);
  }
});

it('tells with its body of each answer that a server that is away has to follow', () => {
  const both = operations.filter(({ answers }) => '200' in answers && '202' in answers);
  expect(both.map(({ title }) => title).sort()).toEqual([
    'DELETE /api/v1/account',
    'DELETE /api/v1/account/sessions',
    'DELETE /api/v1/account/sessions/{id}',
    'DELETE /api/v1/devices/{id}',
    'POST /api/v1/account/logout',
    'POST /api/v1/account/password/reset',
    'PUT /api/v1/account/password',
  ]);
  for (const { title, answers } of both) {
    expect([title, answers['202']]).toEqual([title, expect.stringMatching(/Answer$/)]);
    expect(answers['202']).toBe(answers['200']);
  }
});

it('tells of a new group that its members may be gone, or another change in its way', () => {
  const create = operations.find(({ title }) => title === 'POST /api/v1/groups');
  expect(Object.keys(create?.answers ?? {})).toEqual(expect.arrayContaining(['404', '409']));
});
