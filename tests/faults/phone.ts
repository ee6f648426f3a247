import { setTimeout as delay } from 'node:timers/promises';
import { SipClient } from '../support/sip-client.js';
import type { Failure, Journal } from './journal.js';
import type { Credentials } from './promises.js';
import type { World } from './world.js';

const PAUSE_MS = 300;
/** A phone would send its request again by then (RFC 3261, 17.1.2.2). */
const ANSWER_WITHIN_MS = 2000;

/** A phone that registers again and again, from one address. */
export class Phone {
  private constructor(
    private readonly client: SipClient,
    private readonly world: World,
    private readonly journal: Journal,
  ) {}

  static async plugIn(owner: Credentials, world: World, journal: Journal): Promise<Phone> {
    return new Phone(await SipClient.open(owner), world, journal);
  }

  unplug(): void {
    this.client.close();
  }

  async live(stopped: () => boolean): Promise<void> {
    while (!stopped()) {
      await this.register();
      await delay(PAUSE_MS);
    }
  }

  private async register(): Promise<void> {
    const startedAt = performance.now();
    const status = await this.client.register({ answerWithinMs: ANSWER_WITHIN_MS }).then(
      (answer) => answer.status,
      () => undefined,
    );
    this.client.received.length = 0;
    const { failure, detail } = readingOf(status);
    const entry = { protocol: 'sip' as const, kind: 'register a phone', startedAt, endedAt: performance.now() };
    this.journal.note({ ...entry, failure, detail });
    if (!failure) this.world.contacts.set(this.client.credentials.username, this.client.contact);
  }
}

function readingOf(status: number | undefined): { failure?: Failure; detail?: string } {
  if (status === 200) return {};
  if (status === undefined) return { failure: 'connection', detail: 'no answer' };
  return { failure: status >= 500 ? 'told' : 'unclear', detail: String(status) };
}
