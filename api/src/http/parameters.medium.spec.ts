import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { TestApp } from '../testing/app.js';
import { type Operation, operationsOf } from '../testing/operations.js';

type Account = Awaited<ReturnType<TestApp['register']>>;
type Parameter = Operation['parameters'][number];

/** What nobody means by a parameter, as it stands in a URL. */
const STRANGE = [
  ..."%00 a%00b %0A %7F %C2%85 %EF%BF%BF %25 %2F %5C %22 ' %20 %E2%80%AE %F0%9F%93%9E".split(' '),
  ...'%ED%A0%80 %ED%B0%80 a%ED%A0%80b %C0%80 %F4%90%80%80 %E0%A4%A %'.split(' '),
  ...'-1 0 1.5 1e999 0x10 NaN null [object%20Object] __proto__'.split(' '),
  ...['9'.repeat(19), '9'.repeat(400), 'x'.repeat(512), 'x'.repeat(513), 'x'.repeat(8000), '%F0%9F%93%9E'.repeat(128)],
];

let app: TestApp;
let account: Account;
let operations: Operation[];
/** By name, what there is: a strange value next to it gets as far as it can. */
let good: Record<string, string>;
beforeAll(async () => {
  app = await TestApp.start();
  account = await app.register();
  operations = (await operationsOf(app)).filter(({ parameters }) => parameters.length > 0);
  const group = await app.http.post('/api/v1/groups').set(account.bearer).send({ name: 'Friends', member_jids: [] });
  const device = await app.http.post('/api/v1/devices').set(account.bearer).send({ name: 'Phone', type: 'host' });
  expect([group.status, device.status]).toEqual([201, 200]);
  good = { group_id: group.body.group_id, jid: account.jid, id: String(device.body.id), host_device_id: '7' };
});
afterAll(() => app.stop());

function ask({ method, path, parameters, body }: Operation, strange: Parameter, text: string) {
  const filled = path.replace(/\{(\w+)\}/g, (_, name) => (name === strange.name ? text : (good[name] ?? 'x')));
  const needed = parameters.filter((one) => one.in === 'query' && one.required && one.name !== strange.name);
  const queries = [
    ...needed.map(({ name }) => `${name}=${good[name] ?? 'x'}`),
    ...(strange.in === 'query' ? [text] : []),
  ];
  const url = `${filled}${queries.length > 0 ? '?' : ''}${queries.join('&')}`;
  return app.http[method](url).set(account.bearer).send(body);
}

interface Place {
  operation: Operation;
  parameter: Parameter;
}

const placesIn = (part: Parameter['in']): Place[] =>
  operations.flatMap((operation) =>
    operation.parameters.filter((one) => one.in === part).map((parameter) => ({ operation, parameter })),
  );

/** Asks for all of it, and tells of each answer that is none of those that the operation names. */
async function unforeseen({ operation, parameter }: Place, texts: string[]): Promise<object[]> {
  const answers = await Promise.all(
    texts.map(async (text) => {
      const { status, type } = await ask(operation, parameter, text);
      return { status, type, asked: `${operation.title} with ${text.slice(0, 40)}` };
    }),
  );
  return answers.filter(({ status, type }) => {
    // A URL that can't be read reaches no operation.
    const foreseen = (status in operation.answers && status < 500) || status === 400;
    return !foreseen || (status >= 400 && type !== 'application/problem+json');
  });
}

it('every path parameter stands whatever is written there', async () => {
  const all = placesIn('path');
  expect(all.length).toBeGreaterThan(10);
  for (const place of all) expect(await unforeseen(place, STRANGE)).toEqual([]);
});

it('every query parameter stands whatever is written there, also twice and as what other servers take for a list', async () => {
  const all = placesIn('query');
  expect(all.length).toBeGreaterThan(5);
  for (const place of all) {
    const { name } = place.parameter;
    const lists = [
      `${name}=%00&${name}=%00`,
      `${name}=7&${name}=7`,
      `${name}[]=%00`,
      `${name}[a]=%00`,
      name,
      `${name}=`,
    ];
    expect(await unforeseen(place, [...STRANGE.map((text) => `${name}=${text}`), ...lists])).toEqual([]);
  }
});

it.each(['%00', 'a%00b', '%0A', '%7F', '%C2%85', '%EF%BF%BF'])('nothing is called %s', async (text) => {
  for (const { operation, parameter } of placesIn('path')) {
    const { status, body } = await ask(operation, parameter, text);
    expect([operation.title, status, body.code]).toEqual([operation.title, 404, 'not_found']);
  }
});
