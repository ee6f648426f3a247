import { Problem } from '../../common/problem.js';
import { ChatData, type Contact, type PrivateData } from './chat-data.client.js';

/** What a chat server in memory keeps of everybody alike. */
export class FakeChatData extends ChatData {
  contactList: Contact[] = [];
  waiting = 0;
  /** What it was told to forget, and after how many days. */
  readonly forgotten: string[] = [];
  away = false;

  contacts(): Promise<Contact[]> {
    return this.answer(this.contactList);
  }

  profile(username: string): Promise<Record<string, string> | null> {
    return this.answer({ FN: username });
  }

  privateData(): Promise<PrivateData[]> {
    return this.answer([]);
  }

  waitingMessages(): Promise<number> {
    return this.answer(this.waiting);
  }

  async forgetArchived(days: number): Promise<void> {
    await this.answer(undefined);
    this.forgotten.push(`archived ${days}`);
  }

  async forgetWaiting(days: number): Promise<void> {
    await this.answer(undefined);
    this.forgotten.push(`waiting ${days}`);
  }

  protected async answer<T>(value: T): Promise<T> {
    if (this.away) throw new Problem('chat_server_unavailable', 'the chat server is away');
    return value;
  }
}
