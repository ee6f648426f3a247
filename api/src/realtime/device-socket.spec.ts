import { beforeEach, expect, it } from '@jest/globals';
import { FakeLine } from '../testing/fake-line.js';
import { FakeProtocol } from '../testing/fake-protocol.js';
import type { DeviceSocket } from './device-socket.js';

let line: FakeLine;
let connection: DeviceSocket;
let outcomes: [ping: number, confirmed: boolean][];

beforeEach(async () => {
  line = new FakeLine();
  connection = line.connection(new FakeProtocol('quiet'), { id: 'd', accountId: 'a', kind: 'web', provenKey: null });
  outcomes = [];
  for (const ping of [1, 2, 3]) void connection.confirmed().then((confirmed) => outcomes.push([ping, confirmed]));
});

it.each(['', 'x', 'NaN', '1e9', '4', '-1', '0x1', ' 1', '1.5', '0'])(
  'a pong of %j confirms nothing that was sent',
  async (payload) => {
    connection.alive = false;
    expect(connection.answered(payload)).toBe(false);
    await Promise.resolve();
    expect(outcomes).toEqual([]);
    // It is a sign of life all the same (RFC 6455, 5.5.3).
    expect(connection.alive).toBe(true);
  },
);

it('a pong confirms its ping and those before it, once', async () => {
  expect(connection.answered(line.pings[1] as string)).toBe(true);
  for (const ping of [0, 1]) expect(connection.answered(line.pings[ping] as string)).toBe(false);
  await Promise.resolve();
  expect(outcomes).toEqual([
    [1, true],
    [2, true],
  ]);
  connection.ended();
  await Promise.resolve();
  expect(outcomes.slice(2)).toEqual([[3, false]]);
});

it('who answers the last of several pings only confirms those before it, also when it is no ping that confirms', async () => {
  connection.ping();
  connection.answered(line.pings.at(-1) as string);
  await Promise.resolve();
  expect(outcomes).toEqual([1, 2, 3].map((ping) => [ping, true]));
});
