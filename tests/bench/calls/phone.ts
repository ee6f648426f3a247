import type { Account } from '../../support/api.js';
import { SipClient } from '../../support/sip-client.js';
import {
  header,
  isRequest,
  isResponse,
  type SipMessage,
  type SipRequest,
  type SipResponse,
} from '../../support/sip-message.js';

/** Longer than anything in the benchmark takes: what has not come by then is lost. */
const LOST_AFTER_MS = 100_000;

/** A SIP client that notes when a message arrives, and does not look for it in intervals as the stories do. */
export class BenchPhone {
  private readonly waiting = new Set<(message: SipMessage) => boolean>();

  private constructor(readonly client: SipClient) {}

  /** @param address any of loopback: one address may send no more than a phone does */
  static async open(account: Account, address: string): Promise<BenchPhone> {
    const phone = new BenchPhone(await SipClient.open(account, 'udp', address));
    phone.client.onArrival = (message) => {
      for (const takes of phone.waiting) if (takes(message)) return;
    };
    return phone;
  }

  close(): void {
    this.client.close();
  }

  /** The next request of that method, and when it arrived. */
  request(method: string): Promise<{ message: SipRequest; at: number }> {
    return this.next((message): message is SipRequest => isRequest(message) && message.method === method);
  }

  /** The next response to a request that `wanted` names. */
  response(sent: SipRequest, wanted: (status: number) => boolean): Promise<{ message: SipResponse; at: number }> {
    const isAnswer = (message: SipMessage): message is SipResponse =>
      isResponse(message) && wanted(message.status) && same('Call-ID', message, sent) && same('CSeq', message, sent);
    return this.next(isAnswer);
  }

  private next<T extends SipMessage>(
    wanted: (message: SipMessage) => message is T,
  ): Promise<{ message: T; at: number }> {
    return new Promise((resolve, reject) => {
      const lost = setTimeout(() => {
        this.waiting.delete(takes);
        reject(new Error('a message was lost'));
      }, LOST_AFTER_MS);
      const takes = (message: SipMessage): boolean => {
        if (!wanted(message)) return false;
        clearTimeout(lost);
        this.waiting.delete(takes);
        resolve({ message, at: performance.now() });
        return true;
      };
      this.waiting.add(takes);
    });
  }
}

const same = (name: string, one: SipMessage, other: SipMessage): boolean => header(one, name) === header(other, name);
