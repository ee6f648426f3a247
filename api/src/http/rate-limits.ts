/** What a limit counts by: the client's address (of IPv6 the network, common/network.ts), an account, a device, or nothing. */
export type RateLimitScope = 'address' | 'account' | 'device' | 'server';

export interface RateLimit {
  readonly per: RateLimitScope;
  /** Calls allowed within one window, before RATE_LIMIT_FACTOR. */
  readonly calls: number;
  readonly windowSeconds: number;
  /**
   * What becomes of it when several processes can't tell each other what they count. `closed`: it guards a secret, all
   * processes count together, and meanwhile each lets its share through. `open`: it keeps away load, and each process counts
   * what it sees, always: two of them let through twice as much.
   */
  readonly fails: 'closed' | 'open';
}

/**
 * Every rate limit in one table. `anything` counts each request and each WebSocket that is opened; a route adds one with
 * @RateLimited.
 */
export const RATE_LIMITS = {
  anything: { per: 'address', calls: 1200, windowSeconds: 60, fails: 'open' },
  register: { per: 'address', calls: 20, windowSeconds: 3600, fails: 'closed' },
  /** Invite codes that were wrong, or are being looked at. */
  wrong_invites: { per: 'address', calls: 10, windowSeconds: 3600, fails: 'closed' },
  login: { per: 'address', calls: 30, windowSeconds: 60, fails: 'closed' },
  /** Logins that failed, or whose end is not known yet: features/account/login-attempts.ts says what is refused. */
  login_failures: { per: 'address', calls: 20, windowSeconds: 60, fails: 'closed' },
  account_login_failures: { per: 'account', calls: 5, windowSeconds: 60, fails: 'closed' },
  refresh: { per: 'address', calls: 120, windowSeconds: 60, fails: 'closed' },
  change_password: { per: 'account', calls: 5, windowSeconds: 60, fails: 'closed' },
  change_identity: { per: 'account', calls: 10, windowSeconds: 3600, fails: 'closed' },
  verify_email: { per: 'account', calls: 20, windowSeconds: 3600, fails: 'closed' },
  forgot_password: { per: 'address', calls: 10, windowSeconds: 3600, fails: 'closed' },
  reset_password: { per: 'address', calls: 20, windowSeconds: 3600, fails: 'closed' },
  delete_account: { per: 'account', calls: 5, windowSeconds: 60, fails: 'closed' },
  export: { per: 'account', calls: 5, windowSeconds: 3600, fails: 'open' },
  credentials: { per: 'account', calls: 60, windowSeconds: 60, fails: 'closed' },
  change_group: { per: 'account', calls: 120, windowSeconds: 60, fails: 'open' },
  register_push: { per: 'account', calls: 60, windowSeconds: 60, fails: 'open' },
  test_push: { per: 'account', calls: 10, windowSeconds: 60, fails: 'open' },
  /** Calls that wake phones, by who calls and by who is called. One beyond goes on, and wakes none. */
  calls_from: { per: 'account', calls: 20, windowSeconds: 60, fails: 'open' },
  calls_to: { per: 'account', calls: 40, windowSeconds: 60, fails: 'open' },
  change_device: { per: 'account', calls: 60, windowSeconds: 60, fails: 'open' },
  change_contact: { per: 'account', calls: 60, windowSeconds: 60, fails: 'open' },
  /** Frames of one device in one protocol. One beyond ends the connection. */
  socket_frames: { per: 'device', calls: 1000, windowSeconds: 10, fails: 'open' },
  pairing_code: { per: 'account', calls: 20, windowSeconds: 600, fails: 'closed' },
  /** Tries of a pairing code, each counted four times over: so many of a device, an account, an address, and altogether. */
  pairing_of_device: { per: 'device', calls: 10, windowSeconds: 600, fails: 'closed' },
  pairing_of_account: { per: 'account', calls: 20, windowSeconds: 600, fails: 'closed' },
  pairing_of_address: { per: 'address', calls: 60, windowSeconds: 600, fails: 'closed' },
  pairing: { per: 'server', calls: 6000, windowSeconds: 600, fails: 'closed' },
  /** What the relay keeps for an account, however it comes. */
  relay_messages: { per: 'account', calls: 1200, windowSeconds: 60, fails: 'open' },
  /** The same in KiB, for each device that it is kept for: 1,200 messages of the usual size for sixteen devices. */
  relay_kilobytes: { per: 'account', calls: 20_000, windowSeconds: 60, fails: 'open' },
  /** Each page counts all messages of the account. */
  relay_history: { per: 'account', calls: 120, windowSeconds: 60, fails: 'open' },
  relay_commands: { per: 'account', calls: 120, windowSeconds: 60, fails: 'open' },
} as const satisfies Record<string, RateLimit>;

export type RateLimitName = keyof typeof RATE_LIMITS;

/** The limits that each process counts by itself. */
export type OpenLimitName = {
  [Name in RateLimitName]: (typeof RATE_LIMITS)[Name]['fails'] extends 'open' ? Name : never;
}[RateLimitName];
