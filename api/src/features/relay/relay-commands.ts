import { Injectable } from '@nestjs/common';
import { newId } from '../../common/ids.js';
import { Problem } from '../../common/problem.js';
import { RelayDelivery } from './relay-delivery.js';
import { forwarded } from './relay-frame.js';
import { RelayJournal } from './relay-journal.js';
import { RelayMessagesRepository } from './relay-messages.repository.js';

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
  /** `queued`: the host is offline; it gets the command when it comes, if that is in time. */
  status: 'sent' | 'queued' | 'full';
}

/** Commands of clients to hosts, however they come. They are kept before they are passed on. */
@Injectable()
export class RelayCommands {
  constructor(
    private readonly journal: RelayJournal,
    private readonly delivery: RelayDelivery,
    private readonly messages: RelayMessagesRepository,
  ) {}

  /** The same command once more changes nothing. @throws Problem unauthenticated when the account is gone */
  async send({ fields, ...command }: Command): Promise<CommandReceipt> {
    const { accountId, from, to } = command;
    const reqId = command.reqId ?? newId();
    const text = forwarded({ ...fields, req_id: reqId }, from);
    const { id, outcome } = await this.journal.keep({ ...command, type: 'command', reqId, text });
    if (outcome === 'gone') throw new Problem('unauthenticated', 'the account has been closed');
    if (id !== null) this.delivery.deliver({ accountId, to, id, reqId, text });
    if (outcome === 'full') return { reqId, status: 'full' };
    const hasArrived = outcome === 'known' && (await this.messages.isAcknowledged(from, reqId));
    return { reqId, status: hasArrived || this.delivery.isOnline(to) ? 'sent' : 'queued' };
  }
}
