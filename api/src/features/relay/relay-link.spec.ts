import { beforeEach, describe, expect, it } from '@jest/globals';
import type { Connection, Frame } from '../../realtime/protocol.js';
import { FakeClock } from '../../testing/clock.js';
import type { RelayedFrame } from './relay-frame.js';
import { type Outgoing, RelayLink } from './relay-link.js';

const CONNECTION = {
  device: { id: '7', accountId: 'alice', kind: 'host', provenKey: null },
  caller: { accountId: 'alice', username: 'alice', jid: 'alice@veil.test', sessionId: 's', deviceId: '7' },
  path: '/ws/host/:device_id',
  way: 'header',
  open: true,
} as const;

let sent: string[];
let acknowledged: Set<number>;
let clock: FakeClock;
let link: RelayLink;

beforeEach(() => {
  sent = [];
  acknowledged = new Set();
  const connection: Connection = {
    ...CONNECTION,
    send: (frame) => sent.push(String(frame)) > 0,
    confirmed: async () => true,
    close: () => {},
  };
  const receipts = {
    add: (ids: readonly number[]) => {
      for (const id of ids) acknowledged.add(id);
    },
    has: (id: number) => acknowledged.has(id),
  };
  clock = new FakeClock();
  link = new RelayLink(connection, 'host', receipts, clock);
});

/** Its time is over in a minute. */
const message = (id: number, kind = 'SEND_SMS', text = `text ${id}`): Outgoing => ({
  ...{ id, kind, reqId: `r${id}`, text },
  until: clock.milliseconds() + 60_000,
});

const event = (kind: string, fields: Frame = {}, reqId: string | null = null): RelayedFrame => ({
  ...{ type: 'event', kind, reqId, to: null, fields },
});

describe('what a host tells', () => {
  beforeEach(() => {
    for (const [index, kind] of ['SEND_SMS', 'MAKE_CALL', 'HANG_UP', 'GET_SIMS', 'GET_SIMS'].entries()) {
      link.take(message(index + 1, kind));
    }
  });

  it.each([
    ['the command of its id', event('SIM_INFO', {}, 'r5'), [5]],
    ['the command that failed', event('ERROR', { status: 'error' }, 'r2'), [2]],
    ['whatever it is', event('BATTERY_LOW', {}, 'r1'), [1]],
    ['the oldest question, without an id', event('SIM_INFO'), [4]],
    ['the oldest question, by an id of its own', event('SIM_INFO', {}, 'x'), [4]],
    ['the end of a call, without an id', event('CALL_STATE', { state: 'ended' }), [3]],
    ['the end of a call, by the id of the call', event('CALL_STATE', { state: 'ended' }, 'x'), [3]],
    ['the beginning of a call, without an id', event('CALL_STATE', { state: 'dialing' }), [2]],
    ['that no call could be made, without an id', event('CALL_STATE', { state: 'error' }), [2]],
    ['the oldest text, without an id', event('SMS_SENT', { status: 'ok' }), [1]],
    ['nothing, by the id of another text', event('SMS_SENT', { status: 'ok' }, 'x'), []],
    ['nothing, by the id of another call', event('CALL_STATE', { state: 'dialing' }, 'x'), []],
    ['nothing of a call that came in', event('CALL_STATE', { state: 'ringing' }), []],
    ['nothing of itself', event('INCOMING_SMS'), []],
    ['nothing that went wrong with something else', event('ERROR'), []],
  ])('acknowledges %s', (_, told, ids) => {
    link.answered(told);
    expect([...acknowledged]).toEqual(ids);
  });

  it('acknowledges nothing whose time is over, but by its id', () => {
    clock.advance(60_001);
    link.take(message(6, 'MAKE_CALL'));
    link.answered(event('CALL_STATE', { state: 'dialing' }));
    expect([...acknowledged]).toEqual([6]);
    link.answered(event('CALL_STATE', { state: 'dialing' }, 'r2'));
    expect([...acknowledged]).toEqual([6, 2]);
  });

  it('acknowledges one command', () => {
    for (let count = 0; count < 3; count += 1) link.answered(event('SIM_INFO'));
    expect([...acknowledged]).toEqual([4, 5]);
  });
});

describe('a message', () => {
  it('is not sent after its time, however it comes and for whatever it has waited', () => {
    const late = message(1, 'MAKE_CALL');
    link.hold();
    link.take(message(2, 'MAKE_CALL'));
    link.giveUp();
    clock.advance(60_000);
    expect([link.hold(), link.release()]).toEqual([true, true]);
    link.take(late);
    link.take({ ...message(3), until: null });
    expect(sent).toEqual(['text 3']);
  });

  it('that waits is remembered, however much there was before whose time is over', () => {
    link.take({ ...message(0), until: clock.milliseconds() + 3_600_000 });
    for (let id = 1; id <= 9999; id += 1) link.take(message(id, 'GET_SIMS'));
    clock.advance(60_000);
    link.take(message(10_000));
    expect([0, 1, 10_000].map((id) => link.has(id))).toEqual([true, false, true]);
  });

  it('that has been acknowledged is not sent again', () => {
    link.take(message(1));
    link.settle('r1');
    link.take(message(1));
    expect(sent).toEqual(['text 1']);
  });

  it('that was read and acknowledged while it was held back is not sent again', () => {
    link.hold();
    link.take(message(1));
    link.take(message(2));
    link.send(message(1));
    link.settle('r1');
    expect(link.release()).toBe(true);
    expect(sent).toEqual(['text 1', 'text 2']);
  });

  it('that the host has answered before it could be sent once more is not sent', () => {
    link.hold();
    link.answered(event('SMS_SENT', { status: 'ok' }, 'r1'));
    link.send(message(1));
    link.send(message(2));
    expect([sent, [...acknowledged]]).toEqual([['text 2'], [1]]);
  });

  it('is held back until the queue has been sent, as far as memory goes', () => {
    link.hold();
    link.take(message(1));
    link.take(message(2, 'SEND_SMS', 'x'.repeat(128 * 1024)));
    link.take(message(3));
    expect(link.release()).toBe(false);
    expect(sent).toEqual(['text 1']);
    link.take(message(4));
    expect(link.release()).toBe(true);
    link.take(message(5));
    expect(sent).toEqual(['text 1', 'text 4', 'text 5']);
  });

  it('is left to the queue when that takes its time', () => {
    link.hold();
    link.take(message(1));
    link.skip();
    link.take(message(2));
    expect([link.release(), link.release()]).toEqual([false, true]);
    expect(sent).toEqual([]);
  });

  it('is sent at once when it is in no queue, so that it is not lost', () => {
    link.hold();
    link.take({ ...message(1), until: null });
    link.take(message(2));
    link.skip();
    link.take({ ...message(3), until: null });
    link.take(message(4));
    expect(sent).toEqual(['text 1', 'text 3']);
  });

  it('waits until the queue before it can be read', () => {
    link.hold();
    link.take(message(2));
    link.giveUp();
    link.take(message(3));
    expect(sent).toEqual([]);
    expect(link.hold()).toBe(true);
    link.send(message(1));
    expect([link.hold(), link.release()]).toEqual([false, true]);
    expect(sent).toEqual(['text 1', 'text 2', 'text 3']);
  });
});
