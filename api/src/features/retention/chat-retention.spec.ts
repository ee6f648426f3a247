import { beforeEach, describe, expect, it } from '@jest/globals';
import { FakeChatData } from '../../clients/ejabberd/chat-data.fake.js';
import { FakeClock } from '../../testing/clock.js';
import { testConfig } from '../../testing/config.js';
import { ChatRetention } from './chat-retention.js';

const MINUTE_MS = 60_000;

describe('the retention of messages', () => {
  let chat: FakeChatData;
  let clock: FakeClock;
  beforeEach(() => {
    chat = new FakeChatData();
    clock = new FakeClock();
  });

  const retention = (settings: NodeJS.ProcessEnv) => new ChatRetention(chat, clock, testConfig(settings));

  it('keeps archives for ever, and what waits for 90 days, unless it is told otherwise', async () => {
    await retention({}).runWhenDue();
    expect(chat.forgotten).toEqual(['waiting 90']);
  });

  it.each([
    ['30', '90', ['archived 30', 'waiting 30']],
    ['365', '7', ['archived 365', 'waiting 7']],
    ['30', '0', ['archived 30', 'waiting 30']],
    ['0', '0', []],
  ])('lets nothing wait for longer than it is archived (%s, %s)', async (archive, offline, forgotten) => {
    await retention({ CHAT_ARCHIVE_DAYS: archive, CHAT_OFFLINE_DAYS: offline }).runWhenDue();
    expect(chat.forgotten).toEqual(forgotten);
  });

  it('is enforced once an hour', async () => {
    const hourly = retention({});
    for (let minute = 0; minute <= 150; minute += 1) {
      await hourly.runWhenDue();
      clock.advance(MINUTE_MS);
    }
    expect(chat.forgotten).toHaveLength(3);
  });

  it('is enforced soon after the chat server was away', async () => {
    const again = retention({});
    chat.away = true;
    await expect(again.runWhenDue()).rejects.toThrow('chat_server_unavailable');
    chat.away = false;
    clock.advance(4 * MINUTE_MS);
    await again.runWhenDue();
    expect(chat.forgotten).toEqual([]);
    clock.advance(MINUTE_MS);
    await again.runWhenDue();
    expect(chat.forgotten).toEqual(['waiting 90']);
  });
});
