import { expect, it } from '@jest/globals';
import { Inbox } from './inbox.js';
import { ProbeError } from './probe-error.js';

const later = (): AbortSignal => new AbortController().signal;

it('gives each item once, to whoever it is for, whether he came first or it did', async () => {
  const inbox = new Inbox<number>(later());
  const even = inbox.take('an even number', (number) => number % 2 === 0);
  for (const number of [1, 3, 4]) inbox.put(number);
  expect(await even).toBe(4);
  expect(await inbox.take('a number')).toBe(1);
  expect(await inbox.take('a number')).toBe(3);
});

it('fails with the end of the connection, but gives what came before it', async () => {
  const inbox = new Inbox<number>(later());
  const waiting = inbox.take('something');
  inbox.fail(new ProbeError('closed', 'it was closed'));
  inbox.fail(new ProbeError('silent', 'too late'));
  await expect(waiting).rejects.toThrow('it was closed');
  inbox.put(7);
  expect(await inbox.take('a number')).toBe(7);
  await expect(inbox.take('another')).rejects.toThrow('it was closed');
});

it('says what did not come when the time is over', async () => {
  const controller = new AbortController();
  const inbox = new Inbox<number>(controller.signal);
  const waiting = inbox.take('the greeting');
  controller.abort();
  await expect(waiting).rejects.toMatchObject({ trouble: 'silent', message: 'the greeting did not come in time' });
  await expect(new Inbox(controller.signal).take('more')).rejects.toThrow('more did not come in time');
});
