import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, it } from '@jest/globals';
import type { Connection } from '../../realtime/protocol.js';
import type { PairedDevices } from '../pairing/paired-devices.js';
import type { RelayCommands } from './relay-commands.js';
import type { RelayDelivery } from './relay-delivery.js';
import { type RelayedFrame, readFrame } from './relay-frame.js';
import type { RelayJournal } from './relay-journal.js';
import { RelayRouter } from './relay-router.js';

it('holds so many frames while the pairings of their sender are looked up, in order, and refuses the others at once', async () => {
  const { promise: peers, resolve } = Promise.withResolvers<string[]>();
  const paired = { known: () => undefined, lastKnown: () => undefined, of: () => peers } as unknown as PairedDevices;
  const passed: number[] = [];
  const pass = (_to: string, text: string): boolean => passed.push(JSON.parse(text).n) > 0;
  const router = new RelayRouter(paired, {} as RelayCommands, {} as RelayJournal, { pass } as unknown as RelayDelivery);
  const answers: unknown[] = [];
  const connection = {
    device: { id: 'phone' },
    send: (frame: unknown) => answers.push(frame),
  } as unknown as Connection;

  for (let n = 0; n < 300; n += 1) {
    const frame = readFrame({ type: 'webrtc', action: 'offer', sdp: 'v=0', req_id: `r${n}`, n }, 'host');
    void router.route(connection, 'host', frame as RelayedFrame);
  }
  expect(answers).toHaveLength(300 - 256);
  expect(answers[0]).toEqual({ error: 'temporarily unavailable', target_device_id: null, req_id: 'r256' });
  resolve(['laptop']);
  await nextTurn();
  expect(passed).toEqual(Array.from({ length: 256 }, (_, n) => n));
});
