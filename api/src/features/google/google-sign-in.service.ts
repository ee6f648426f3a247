import { Injectable } from '@nestjs/common';
import { Google, type GoogleIdentity } from '../../clients/google/google.client.js';
import { Clock } from '../../common/clock.js';
import { newPassword } from '../../common/code.js';
import { Problem } from '../../common/problem.js';
import { LoginService } from '../account/login.service.js';
import { RegistrationService } from '../account/registration.service.js';
import { madeUpUsername } from '../account/username.js';
import type { OpenSession } from '../sessions/session.service.js';
import type { GoogleSignInRequest } from './google.dto.js';
import { GoogleRepository } from './google.repository.js';

/** What happened at a sign-in. */
export interface SignedIn {
  session: OpenSession;
  created: boolean;
}

type Wishes = Omit<GoogleSignInRequest, 'id_token'> & { address: string };

const isEmailTaken = (error: unknown): boolean => error instanceof Problem && error.code === 'email_taken';

/**
 * Google accounts as a way in. What counts is Google's `sub`: an e-mail address, verified or not, opens no account and
 * takes none over.
 */
@Injectable()
export class GoogleSignInService {
  constructor(
    private readonly google: Google,
    private readonly links: GoogleRepository,
    private readonly registration: RegistrationService,
    private readonly logins: LoginService,
    private readonly clock: Clock,
  ) {}

  /**
   * Logs in to the account that the Google account opens; the first time it is created.
   * @param address of the client, which the limit on wrong invites counts by
   * @throws Problem google_sign_in_off, invalid_id_token, identity_provider_unavailable, and those of a registration
   */
  async signIn({ id_token, ...wishes }: GoogleSignInRequest, address: string): Promise<SignedIn> {
    const startedAt = this.clock.now();
    const { sub, verifiedEmail } = await this.google.verify(id_token);
    const known = await this.links.find(sub);
    const account = known
      ? { ...known, created: false }
      : await this.createOnce({ sub, verifiedEmail }, { ...wishes, address });
    const device = { id: wishes.device_id, name: wishes.device_name };
    const session = await this.logins.open(account, device, startedAt);
    return { session, created: account.created };
  }

  /** Creates the account, unless another device is faster with the same first sign-in. */
  private async createOnce(identity: GoogleIdentity, wishes: Wishes) {
    try {
      return { ...(await this.create(identity, wishes)), created: true };
    } catch (error) {
      const meanwhile = await this.links.find(identity.sub);
      if (meanwhile) return { ...meanwhile, created: false };
      throw error;
    }
  }

  /** The address comes along when Google vouches for it and nobody here has it. */
  private async create({ sub, verifiedEmail }: GoogleIdentity, { username, invite_code: invite, address }: Wishes) {
    const name = username ?? madeUpUsername();
    const register = (email: string | null) => {
      const identities = { email, emailVerifiedAt: email ? this.clock.now() : null, googleSub: sub };
      return this.registration.register(name, newPassword(), { invite, address }, { identities, hasPassword: false });
    };
    return register(verifiedEmail).catch((error: unknown) => {
      if (isEmailTaken(error)) return register(null);
      throw error;
    });
  }
}
