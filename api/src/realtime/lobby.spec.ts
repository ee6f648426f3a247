import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import type { WebSocket } from 'ws';
import { Lobby } from './lobby.js';

/** A client's end, of which only what comes is of interest, and whether it is read. */
class FakeSocket extends EventEmitter {
  paused = false;

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  says(frame: object | string, binary = false): void {
    this.emit('message', Buffer.from(typeof frame === 'string' ? frame : JSON.stringify(frame)), binary);
  }
}

let socket: FakeSocket;
let lobby: Lobby;

beforeEach(() => {
  jest.useFakeTimers();
  socket = new FakeSocket();
  lobby = new Lobby(socket as unknown as WebSocket);
});
afterEach(() => {
  jest.useRealTimers();
});

it('waits ten seconds for all that it asks', async () => {
  socket.says({ first: 1 });
  expect(await lobby.next()).toEqual({ first: 1 });
  jest.advanceTimersByTime(6000);
  const second = expect(lobby.next()).rejects.toMatchObject({ code: 'request_timeout' });
  jest.advanceTimersByTime(3999);
  expect(jest.getTimerCount()).toBe(1);
  jest.advanceTimersByTime(1);
  await second;
});

it('keeps what comes behind a frame that is looked at, however long, and reads no more', async () => {
  socket.says({ first: 1 });
  for (let n = 0; n < 20; n += 1) socket.says('x'.repeat(9 * 1024));
  expect(socket.paused).toBe(true);
  expect(await lobby.next()).toEqual({ first: 1 });
  expect(lobby.leave()).toHaveLength(20);
  expect(socket.paused).toBe(false);
});

it('reads on when it asks for another frame', async () => {
  socket.says({ first: 1 });
  await lobby.next();
  const second = lobby.next();
  expect(socket.paused).toBe(false);
  socket.says({ second: 2 });
  expect(await second).toEqual({ second: 2 });
});

it.each([
  ['is longer than 8 KiB', 'x'.repeat(8 * 1024 + 1), false, 'payload_too_large'],
  ['is binary', '{}', true, 'malformed_request'],
  ['is no object', '[]', false, 'malformed_request'],
])('takes no frame that %s', async (_what, text, binary, code) => {
  const first = expect(lobby.next()).rejects.toMatchObject({ code });
  socket.says(text, binary);
  await first;
});

it.each(['ping', 'pong'])('takes few frames of control, such as a %s', async (kind) => {
  const first = expect(lobby.next()).rejects.toMatchObject({ code: 'rate_limited' });
  for (let n = 0; n < 100; n += 1) socket.emit(kind, Buffer.alloc(0));
  await Promise.resolve();
  expect(jest.getTimerCount()).toBe(1);
  socket.emit(kind, Buffer.alloc(0));
  await first;
});

it('ends with its client, and with the process', async () => {
  const gone = expect(lobby.next()).rejects.toMatchObject({ code: 'malformed_request' });
  socket.emit('close');
  await gone;
  const other = new Lobby(new FakeSocket() as unknown as WebSocket);
  const stopped = expect(other.next()).rejects.toMatchObject({ code: 'stopping' });
  other.close();
  await stopped;
});
