import { Possible } from './possible.js';
import { type Credentials, type Promises, setTo } from './promises.js';

/** A lost answer may be asked for again for half a minute; a little less, since the clocks are two. */
const RETRY_WITHIN_MS = 25_000;

/** Somebody's way in: the password and the session. */
export class Identity {
  token = '';
  private sessionId = '';
  private refreshToken = '';
  /** When an answer with the next refresh token was lost. */
  private lostAt: number | undefined;
  /** What the password is, as far as this is known. */
  private readonly password: Possible<string>;
  /** The one before it, which may be good until a change is through that was promised. */
  private outgoing: string | undefined;

  constructor(
    readonly self: Credentials,
    private readonly promises: Promises,
  ) {
    this.password = new Possible([self.password]);
    promises.world.passwords.set(self.username, this.password);
  }

  /** With every password that may be the right one, the newest first. */
  async logIn(): Promise<void> {
    const { username } = this.self;
    const candidates = [...this.password.all].reverse();
    for (const password of this.outgoing ? [...candidates, this.outgoing] : candidates) {
      const outcome = await this.promises.rest.ask('log in', 'post', '/account/login', '', { username, password });
      if ('done' in outcome) {
        // It only goes forward: whoever gets in with the newest one knows that its change is through.
        if (password === candidates[0]) this.password.found(password);
        if (password === this.password.certain) this.outgoing = undefined;
        // A change that is under way ends every session but the one that asked for it, also those that begin meanwhile.
        if (!this.changing || !this.token) this.enter(outcome.done.data);
      }
      const wrong = 'refused' in outcome && outcome.refused === 'invalid_credentials';
      if (!wrong) return this.promises.expectNoRefusal(`the login of ${username}`, outcome);
    }
    this.promises.journal.complain(`${username} knows the password, and was told that it is wrong`);
  }

  async refresh(): Promise<void> {
    if (!this.refreshToken) return;
    const body = { refresh_token: this.refreshToken };
    const outcome = await this.promises.rest.ask('refresh a session', 'post', '/account/refresh', '', body);
    if ('done' in outcome) this.enter(outcome.done.data);
    if ('unknown' in outcome) this.lostAt ??= performance.now();
    if (!('refused' in outcome)) return;
    if (!this.lostAt || performance.now() - this.lostAt < RETRY_WITHIN_MS) {
      this.promises.expectNoRefusal(`the refresh of ${this.self.username}`, outcome);
    }
    this.promises.world.sessions.delete(this.sessionId);
    this.leave();
  }

  async changePassword(): Promise<void> {
    const { username } = this.self;
    const password = this.password.certain;
    // Which one to name is not known until the change before is through.
    if (password === undefined || this.changing) return this.logIn();
    const wanted = `Pw-${this.promises.newName(this.self, 'password')}`;
    const body = { password, new_password: wanted };
    const outcome = await this.promises.rest.ask('change the password', 'put', '/account/password', this.token, body);
    this.promises.conclude(`the change of ${username}'s password`, outcome, this.password, setTo(wanted));
    if ('refused' in outcome) return;
    if ('done' in outcome && outcome.done.status === 202) this.outgoing = password;
    for (const [id, owner] of this.promises.world.sessions) {
      if (owner === username && id !== this.sessionId) this.promises.world.sessions.delete(id);
    }
  }

  /** Whether nobody can say for now which password to name. */
  get changing(): boolean {
    return this.password.certain === undefined || this.outgoing !== undefined;
  }

  private enter(answer: { token: string; refresh_token: string; session_id: string }): void {
    this.token = answer.token;
    this.refreshToken = answer.refresh_token;
    this.sessionId = answer.session_id;
    this.lostAt = undefined;
    this.promises.world.sessions.set(this.sessionId, this.self.username);
  }

  private leave(): void {
    this.token = '';
    this.refreshToken = '';
    this.lostAt = undefined;
  }
}
