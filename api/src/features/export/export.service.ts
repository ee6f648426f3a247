import { Inject, Injectable } from '@nestjs/common';
import { ChatData } from '../../clients/ejabberd/chat-data.client.js';
import { Clock } from '../../common/clock.js';
import { Problem } from '../../common/problem.js';
import { CONFIG, type Config } from '../../config/config.js';
import type { Caller } from '../../http/access.js';
import { RECENT_SECONDS } from '../account/login.service.js';
import { RelayHistory } from '../relay/relay-history.js';
import { SessionService } from '../sessions/session.service.js';
import { ExportRepository } from './export.repository.js';
import { OMISSIONS } from './export-omissions.js';
import { jsonDocument, type Part, rowsOf } from './json-document.js';

/** The version of the document: a number more when a field goes or changes its meaning, not when one is added. */
const FORMAT = 1;
const PAGE_SIZE = 200;

/** Tells people what is kept of them. docs/export.md describes the document. */
@Injectable()
export class ExportService {
  constructor(
    private readonly data: ExportRepository,
    private readonly chat: ChatData,
    private readonly relay: RelayHistory,
    private readonly sessions: SessionService,
    private readonly clock: Clock,
    @Inject(CONFIG) private readonly config: Config,
  ) {}

  /**
   * The text of the document, a piece at a time. What may fail with an answer has been asked before the first piece.
   * @throws Problem reauthentication_required, chat_server_unavailable
   */
  async document(caller: Caller): Promise<AsyncGenerator<string>> {
    await this.sessions.requireRecent(caller, RECENT_SECONDS);
    return jsonDocument({
      format: FORMAT,
      generated_at: this.clock.now(),
      account: await this.account(caller),
      ...this.lists(caller),
      one_time_codes: await this.data.oneTimeCodes(caller.accountId),
      chat: await this.chatOf(caller.username),
      not_included: OMISSIONS,
    });
  }

  private async account(caller: Caller): Promise<object> {
    const account = await this.data.account(caller.accountId);
    if (!account) throw new Problem('unauthenticated', 'the account has been closed');
    return { ...account, jid: caller.jid };
  }

  private lists({ accountId, username }: Caller): Record<string, Part> {
    const { sipDomain, xmppDomain } = this.config.addresses;
    return {
      sessions: rowsOf((...page) => this.data.sessions(accountId, ...page), PAGE_SIZE),
      push_registrations: rowsOf((...page) => this.data.pushRegistrations(accountId, ...page), PAGE_SIZE),
      devices: rowsOf((...page) => this.data.devices(accountId, ...page), PAGE_SIZE),
      contacts: rowsOf((...page) => this.data.contacts(accountId, ...page), PAGE_SIZE),
      groups: rowsOf((...page) => this.data.groups(accountId, `muc.${xmppDomain}`, ...page), PAGE_SIZE),
      sip_registrations: rowsOf((...page) => this.data.sipRegistrations(username, sipDomain, ...page), PAGE_SIZE),
      calls: rowsOf((...page) => this.data.calls(accountId, ...page), PAGE_SIZE),
      pairings: rowsOf((...page) => this.data.pairings(accountId, ...page), PAGE_SIZE),
      relay_messages: rowsOf((...page) => this.relay.exported(accountId, ...page), PAGE_SIZE),
      mails: rowsOf((...page) => this.data.mails(accountId, ...page), PAGE_SIZE),
    };
  }

  /** One after the other: an export is no reason to keep the chat server busy. */
  private async chatOf(username: string): Promise<object> {
    return {
      contacts: await this.chat.contacts(username),
      profile: await this.chat.profile(username),
      private_data: await this.chat.privateData(username),
      waiting_messages: await this.chat.waitingMessages(username),
    };
  }
}
