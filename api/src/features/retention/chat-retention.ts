import { Inject, Injectable } from '@nestjs/common';
import { ChatData } from '../../clients/ejabberd/chat-data.client.js';
import { Clock } from '../../common/clock.js';
import { CONFIG, type Config } from '../../config/config.js';

const EVERY_MS = 3_600_000;
const RETRY_MS = 300_000;

/**
 * Has the chat server forget messages when their time is over. Each API process asks for it: what is gone already is no
 * work, and nothing has to be claimed. A chat server that takes longer than it is waited for goes on by itself.
 */
@Injectable()
export class ChatRetention {
  private dueAt = 0;
  private readonly archiveDays: number;
  private readonly waitingDays: number;

  constructor(
    private readonly chat: ChatData,
    private readonly clock: Clock,
    @Inject(CONFIG) { retention }: Config,
  ) {
    this.archiveDays = retention.chatArchiveDays;
    // What is gone from the archive must not come to light as a message that waited.
    this.waitingDays = shorter(retention.chatArchiveDays, retention.chatOfflineDays);
  }

  /** Does it when it is due: every hour, and five minutes after it failed. @throws Problem chat_server_unavailable */
  async runWhenDue(): Promise<void> {
    const now = this.clock.milliseconds();
    if (now < this.dueAt) return;
    this.dueAt = now + RETRY_MS;
    if (this.archiveDays > 0) await this.chat.forgetArchived(this.archiveDays);
    if (this.waitingDays > 0) await this.chat.forgetWaiting(this.waitingDays);
    this.dueAt = now + EVERY_MS;
  }
}

/** The shorter of two times, of which 0 means for ever. */
const shorter = (one: number, other: number): number => (one === 0 || other === 0 ? one + other : Math.min(one, other));
