/** What a limit counts by: the client's address (of IPv6 the network, common/network.ts), an account, a device, or nothing. */
export type RateLimitScope = 'address' | 'account' | 'device' | 'server';

export interface RateLimit {
  readonly per: RateLimitScope;
  /** Calls allowed within one window, before RATE_LIMIT_FACTOR. */
  readonly calls: number;
  readonly windowSeconds: number;
}

/**
 * Every rate limit in one table. `anything` counts each request and each WebSocket that is opened; a route adds one with
 * @RateLimited. A process counts what it sees: two of them let through twice as much.
 */
export const RATE_LIMITS = {
  anything: { per: 'address', calls: 1200, windowSeconds: 60 },
  register: { per: 'address', calls: 20, windowSeconds: 3600 },
  /** Invite codes that were wrong, or are being looked at. */
  wrong_invites: { per: 'address', calls: 10, windowSeconds: 3600 },
  login: { per: 'address', calls: 30, windowSeconds: 60 },
  /** Logins that failed, or whose end is not known yet: features/account/login-attempts.ts says what is refused. */
  login_failures: { per: 'address', calls: 20, windowSeconds: 60 },
  account_login_failures: { per: 'account', calls: 5, windowSeconds: 60 },
  refresh: { per: 'address', calls: 120, windowSeconds: 60 },
  change_password: { per: 'account', calls: 5, windowSeconds: 60 },
  change_identity: { per: 'account', calls: 10, windowSeconds: 3600 },
  verify_email: { per: 'account', calls: 20, windowSeconds: 3600 },
  forgot_password: { per: 'address', calls: 10, windowSeconds: 3600 },
  reset_password: { per: 'address', calls: 20, windowSeconds: 3600 },
  delete_account: { per: 'account', calls: 5, windowSeconds: 60 },
  export: { per: 'account', calls: 5, windowSeconds: 3600 },
  credentials: { per: 'account', calls: 60, windowSeconds: 60 },
  change_group: { per: 'account', calls: 120, windowSeconds: 60 },
  register_push: { per: 'account', calls: 60, windowSeconds: 60 },
  test_push: { per: 'account', calls: 10, windowSeconds: 60 },
  /** Calls that wake phones, by who calls and by who is called. One beyond goes on, and wakes none. */
  calls_from: { per: 'account', calls: 20, windowSeconds: 60 },
  calls_to: { per: 'account', calls: 40, windowSeconds: 60 },
  change_device: { per: 'account', calls: 60, windowSeconds: 60 },
  change_contact: { per: 'account', calls: 60, windowSeconds: 60 },
  /** Frames of one device in one protocol. One beyond ends the connection. */
  socket_frames: { per: 'device', calls: 1000, windowSeconds: 10 },
  pairing_code: { per: 'account', calls: 20, windowSeconds: 600 },
  /** Tries of a pairing code, each counted four times over: so many of a device, an account, an address, and altogether. */
  pairing_of_device: { per: 'device', calls: 10, windowSeconds: 600 },
  pairing_of_account: { per: 'account', calls: 20, windowSeconds: 600 },
  pairing_of_address: { per: 'address', calls: 60, windowSeconds: 600 },
  pairing: { per: 'server', calls: 6000, windowSeconds: 600 },
  /** What the relay keeps for an account, however it comes. */
  relay_messages: { per: 'account', calls: 1200, windowSeconds: 60 },
  relay_commands: { per: 'account', calls: 120, windowSeconds: 60 },
} as const satisfies Record<string, RateLimit>;

export type RateLimitName = keyof typeof RATE_LIMITS;
