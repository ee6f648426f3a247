import { expect, it } from '@jest/globals';
import type { Presence } from '../../realtime/presence.js';
import type { Connection } from '../../realtime/protocol.js';
import type { SocketServer } from '../../realtime/socket-server.js';
import type { TurnService } from '../turn/turn.service.js';
import type { Reach } from './reach.js';
import { SignalingGateway } from './signaling.gateway.js';

it('holds so many frames until it is known whether they may go, and refuses the others at once', async () => {
  const asked: PromiseWithResolvers<boolean>[] = [];
  const mayReach = () => {
    const answer = Promise.withResolvers<boolean>();
    asked.push(answer);
    return answer.promise;
  };
  const forwarded: unknown[] = [];
  const presence = { deliver: (...frame: unknown[]) => forwarded.push(frame) > 0 } as unknown as Presence;
  const gateway = new SignalingGateway(
    presence,
    { mayReach } as unknown as Reach,
    {} as TurnService,
    { serve: () => {} } as unknown as SocketServer,
  );
  const sent: unknown[] = [];
  const connection = {
    ...{ device: { id: 'laptop' }, caller: { accountId: 'alice' } },
    send: (frame: unknown) => sent.push(frame),
  } as unknown as Connection;
  const send = async (id: number) =>
    gateway.received(connection, { type: 'offer', target_device_id: `phone-${id}`, payload: {}, id: String(id) }, 100);

  const all = Promise.allSettled(Array.from({ length: 300 }, (_, id) => send(id)));
  // What is refused looks nothing up, which would take memory as well.
  expect(asked).toHaveLength(256);
  for (const { resolve } of asked) resolve(true);
  const refused = (await all).filter((result) => result.status === 'rejected');
  expect(refused).toHaveLength(300 - 256);
  expect(refused[0]?.reason).toMatchObject({ code: 'database_unavailable' });
  expect(forwarded).toHaveLength(256);
  // They are over, and others may come.
  const late = send(300);
  asked.at(-1)?.resolve(true);
  await late;
  expect(sent.at(-1)).toMatchObject({ type: 'ack', id: '300' });
});
