import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problem.js';
import { PairedDevices } from '../pairing/paired-devices.js';
import { RelayDelivery } from './relay-delivery.js';
import { forwarded } from './relay-frame.js';
import { RelayJournal, type RelayMessage } from './relay-journal.js';
import type { CommandState } from './relay-messages.repository.js';

/** A command whose sender may give it to that host. */
export interface Command {
  accountId: string;
  from: string;
  to: string;
  kind: string;
  reqId: string | null;
  /** The frame as it was sent, or would have been. */
  fields: object;
}

export interface CommandReceipt {
  reqId: string;
  /**
   * `queued`: the host is offline; it gets the command when it comes, if that is in time. `expired`: it has come before, and
   * the host did not acknowledge it in time.
   */
  status: 'sent' | 'queued' | 'full' | 'expired';
}

/** Commands of clients to hosts, however they come. They are kept before they are passed on. */
@Injectable()
export class RelayCommands {
  constructor(
    private readonly journal: RelayJournal,
    private readonly delivery: RelayDelivery,
    private readonly paired: PairedDevices,
  ) {}

  /** The same command once more changes nothing, by whichever client. @throws Problem rate_limited; unauthenticated when the account is gone */
  async send({ fields, ...command }: Command): Promise<CommandReceipt> {
    const { accountId, from, to } = command;
    const reqId = command.reqId ?? newId();
    const text = forwarded({ ...fields, req_id: reqId }, from);
    const message = { ...command, type: 'command', reqId, text } as const;
    this.journal.count(accountId, text, 1);
    const { id, outcome, until } = await this.journal.keep(message);
    if (outcome === 'gone') throw new Problem('unauthenticated', 'the account has been closed');
    if (id !== null) this.delivery.deliver({ ...message, id, until });
    if (outcome === 'full') return { reqId, status: 'full' };
    const state = outcome === 'known' ? await this.repeat(message) : 'waiting';
    if (state === 'expired') return { reqId, status: 'expired' };
    return { reqId, status: state === 'acknowledged' || this.delivery.isOnline(to) ? 'sent' : 'queued' };
  }

  /** Where a command is that has come before. What waits of somebody who is paired no more would never go: it is now whose it comes from. */
  private async repeat(message: RelayMessage & { reqId: string }): Promise<CommandState | undefined> {
    const { accountId, from, to, reqId } = message;
    const known = await this.journal.commandOf(accountId, to, reqId);
    if (known?.state !== 'waiting' || known.from === from) return known?.state;
    if ((await this.paired.of(to)).includes(known.from)) return known.state;
    const own = await this.journal.takeOver(known.from, message);
    if (!own) return (await this.journal.commandOf(accountId, to, reqId))?.state;
    this.delivery.deliver({ ...message, ...own });
    return 'waiting';
  }
}
