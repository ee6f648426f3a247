import { randomBytes } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { ProbeError } from '../../clients/probes/probe-error.js';
import type { Deadline } from '../../clients/probes/sockets.js';
import { Problem } from '../../common/problem.js';
import { isDatabaseUnavailable } from '../../database/database-errors.js';
import { RegistrationService } from '../account/registration.service.js';
import { ThrowawayAccounts } from '../account/throwaway-accounts.js';
import { type Finding, info } from './finding.js';
import { type ApiClient, type Guest, type Lodging, NotAdmitted } from './round-trip/lodging.js';

/** Makes throw-away accounts by the services of the API, in this process: for those whom the API does not take in. */
@Injectable()
export class ServerLodging {
  constructor(
    private readonly registration: RegistrationService,
    private readonly accounts: ThrowawayAccounts,
  ) {}

  /** As apps do it, where that is possible; else by ourselves. */
  beside(api: ApiClient): Lodging {
    return {
      newGuest: () => ({ username: this.accounts.newName(), password: randomBytes(18).toString('base64url') }),
      admit: (guest, deadline) => this.admit(api, guest, deadline),
      dismiss: ({ username }) => this.accounts.remove(username).catch(inWords),
    };
  }

  /** Removes what earlier runs that were cut off have left. Whether the database answers is told elsewhere. */
  async examineForgotten(): Promise<Finding[]> {
    const removed = await this.accounts.removeForgotten().catch(() => 0);
    if (removed === 0) return [];
    const subject = { id: 'roundtrip.forgotten', probed: 'Throw-away accounts of earlier runs' };
    return [{ ...subject, ...info(`${removed} that a run which was cut off had left are removed`) }];
  }

  private async admit(api: ApiClient, guest: Guest, deadline: Deadline): Promise<string> {
    // An API that hangs might make the account when it is all over: it is not asked at all.
    if (await api.isAwake(deadline)) {
      try {
        return await api.admit(guest, deadline);
      } catch (error) {
        if (!(error instanceof NotAdmitted)) throw error;
      }
    }
    await this.registration.register(guest.username, guest.password, 'operator').catch(inWords);
    return 'on the server';
  }
}

/** What the services throw, told as the API would tell it. */
function inWords(error: unknown): never {
  if (error instanceof Problem) throw new ProbeError('rejected', `${error.title.toLowerCase()} (${error.code})`);
  if (isDatabaseUnavailable(error)) throw new ProbeError('rejected', 'the database does not answer');
  throw error;
}
