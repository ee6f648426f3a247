import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import { Clock } from '../../common/clock.js';
import { isDeviceId } from '../../common/device-id.js';
import { Bus } from '../../realtime/bus.js';
import { DeviceDirectory } from '../../realtime/device-directory.js';
import { ContactsService } from '../contacts/contacts.service.js';

/** How long what was looked up is trusted: what ends without anybody telling counts within five seconds. */
const TRUST_MS = 4000;
/** When it is looked up again, while it is still trusted: nobody who sends all the time ever waits. */
const REFRESH_MS = 2000;
const REMEMBERED = 50_000;
const TOPIC = 'contacts';

/** What was found out. */
interface Found {
  readonly may: boolean;
  /** The two accounts, when they are two. */
  readonly pair: string | undefined;
}

interface Known extends Found {
  readonly at: number;
  /** How many changes there had been when it was looked up. */
  readonly changes: number;
}

interface Look {
  readonly answer: Promise<boolean>;
  readonly changes: number;
}

/** Whether an account may reach a device: its own, or a contact's. */
@Injectable()
export class Reach {
  private readonly known = new LRUCache<string, Known>({ max: REMEMBERED });
  private readonly looking = new Map<string, Look>();
  /** Of two accounts that have changed whether they are contacts, the number of that change. */
  private readonly changed = new LRUCache<string, number>({ max: REMEMBERED });
  private changes = 0;

  constructor(
    private readonly devices: DeviceDirectory,
    private readonly contacts: ContactsService,
    private readonly clock: Clock,
    bus: Bus,
  ) {
    contacts.onChange((one, other) => {
      const pair = pairOf(one, other);
      this.forget(pair);
      bus.publish(TOPIC, pair);
    });
    bus.subscribe(TOPIC, (pair) => this.forget(pair));
  }

  /** At once where it is known. Answers come in the order of the questions. */
  mayReach(accountId: string, deviceId: string): boolean | Promise<boolean> {
    if (!isDeviceId(deviceId)) return false;
    const key = `${accountId} ${deviceId}`;
    const known = this.known.get(key);
    const age = known ? this.clock.milliseconds() - known.at : TRUST_MS;
    if (!known || age >= TRUST_MS || this.isOutdated(known)) return this.look(key);
    // Whether that fails is seen by who asks when it is trusted no more.
    if (age >= REFRESH_MS && !this.looking.has(key)) this.look(key).catch(() => {});
    return known.may;
  }

  private forget(pair: string): void {
    this.changes += 1;
    this.changed.set(pair, this.changes);
  }

  /** Whether what was begun then may be from before a change of these two. */
  private isOutdated({ pair, changes }: Pick<Known, 'pair' | 'changes'>): boolean {
    return pair !== undefined && changes < (this.changed.get(pair) ?? 0);
  }

  /**
   * One look-up for all that ask meanwhile. Whoever asks after something has changed gets an answer from after that, and not
   * before those who have asked earlier have theirs.
   */
  private look(key: string): Promise<boolean> {
    const { changes } = this;
    const begun = this.looking.get(key);
    if (begun?.changes === changes) return begun.answer;
    const at = this.clock.milliseconds();
    const answer = (begun ? begun.answer.then(ignore, ignore) : Promise.resolve())
      .then(() => this.ask(key))
      .then((found) => {
        this.known.set(key, { ...found, at, changes });
        return found.may;
      })
      .finally(() => {
        if (this.looking.get(key)?.answer === answer) this.looking.delete(key);
      });
    this.looking.set(key, { answer, changes });
    return answer;
  }

  private async ask(key: string): Promise<Found> {
    const [accountId = '', deviceId = ''] = key.split(' ');
    const device = await this.devices.find(deviceId);
    if (!device) return { may: false, pair: undefined };
    if (device.accountId === accountId) return { may: true, pair: undefined };
    const may = await this.contacts.areMutual(accountId, device.accountId);
    return { may, pair: pairOf(accountId, device.accountId) };
  }
}

const ignore = (): void => {};

/** Two accounts, whichever is named first. */
const pairOf = (one: string, other: string): string => (one < other ? `${one} ${other}` : `${other} ${one}`);
