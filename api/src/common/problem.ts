/**
 * Every error that the API answers with: code → status and title (RFC 9457).
 * A code is part of the contract: once published it keeps its meaning. The OpenAPI document lists this table.
 */
export const PROBLEMS = {
  malformed_request: [400, 'The request cannot be read'],
  invalid_code: [400, 'The code is wrong, used or expired'],
  unknown_device_type: [400, 'There is no such type of device'],
  invalid_proof: [400, 'The proof of the key is wrong, or its challenge used or expired'],
  no_client_device: [400, 'The account has no client'],
  unauthenticated: [401, 'Authentication is required'],
  invalid_credentials: [401, 'The username or the password is wrong'],
  invalid_id_token: [401, 'The ID token is not accepted'],
  invalid_refresh_token: [401, 'The refresh token is not valid'],
  forbidden: [403, 'This account may not do that'],
  account_suspended: [403, 'The account is suspended'],
  invite_required: [403, 'Registration needs an invite'],
  invite_invalid: [403, 'The invite is wrong, used or expired'],
  registration_closed: [403, 'Nobody can register here'],
  not_found: [404, 'There is no such resource'],
  method_not_allowed: [405, 'The resource does not answer this method'],
  request_timeout: [408, 'The request did not arrive in time'],
  reauthentication_required: [403, 'A recent login is required'],
  username_taken: [409, 'The username is taken'],
  email_taken: [409, 'The e-mail address belongs to another account'],
  google_account_taken: [409, 'The Google account belongs to another account'],
  last_way_in: [409, 'An account needs a way in'],
  last_owner: [409, 'A group needs an owner'],
  group_busy: [409, 'Another change of this group is under way'],
  too_many_devices: [409, 'The account has as many devices as it may have'],
  too_many_contacts: [409, 'The account has as many contacts as it may have'],
  too_many_groups: [409, 'The account has made as many groups as it may'],
  too_many_members: [409, 'The group has as many members as it may have'],
  queue_full: [409, 'Too many commands wait for the device'],
  command_expired: [409, 'The command was not done in its time'],
  payload_too_large: [413, 'The request body is too large'],
  unsupported_media_type: [415, 'The request body has a type that is not understood'],
  validation_failed: [422, 'The request has invalid fields'],
  rate_limited: [429, 'Too many requests'],
  headers_too_large: [431, 'The request headers are too large'],
  internal_error: [500, 'Something went wrong on our side'],
  google_sign_in_off: [501, 'This server has no sign-in with Google'],
  mail_off: [501, 'This server sends no mail'],
  database_unavailable: [503, 'The database does not answer'],
  chat_server_unavailable: [503, 'The chat server does not answer'],
  call_server_unavailable: [503, 'The call server does not answer'],
  identity_provider_unavailable: [503, 'The identity provider does not answer'],
  stopping: [503, 'The server is about to restart'],
  account_busy: [503, 'An earlier attempt with this username is still being undone'],
} as const satisfies Record<string, readonly [status: number, title: string]>;

export type ProblemCode = keyof typeof PROBLEMS;

/** One invalid field of a request: its path in the body (`member_jids[2]`) and what is expected of it. */
export interface FieldFault {
  field: string;
  detail: string;
}

/** An expected failure that the caller should be told of. Anything else that is thrown becomes `internal_error`. */
export class Problem extends Error {
  constructor(
    readonly code: ProblemCode,
    readonly detail: string,
    readonly options: { faults?: FieldFault[]; retryAfterSeconds?: number; cause?: unknown } = {},
  ) {
    super(`${code}: ${detail}`, { cause: options.cause });
    this.name = 'Problem';
  }

  get status(): number {
    return PROBLEMS[this.code][0];
  }

  get title(): string {
    return PROBLEMS[this.code][1];
  }
}

/** A request with one invalid field. */
export const invalidField = (field: string, detail: string): Problem =>
  new Problem('validation_failed', `${field} ${detail}`, { faults: [{ field, detail }] });
