import { expect, it } from '@jest/globals';
import { PROBLEMS } from './problem.js';

it('the published codes keep their status', () => {
  const statuses = Object.fromEntries(Object.entries(PROBLEMS).map(([code, [status]]) => [code, status]));
  expect(statuses).toEqual({
    malformed_request: 400,
    invalid_code: 400,
    too_many_devices: 409,
    unauthenticated: 401,
    invalid_credentials: 401,
    invalid_id_token: 401,
    invalid_refresh_token: 401,
    forbidden: 403,
    account_suspended: 403,
    invite_required: 403,
    invite_invalid: 403,
    registration_closed: 403,
    not_found: 404,
    method_not_allowed: 405,
    request_timeout: 408,
    reauthentication_required: 403,
    username_taken: 409,
    email_taken: 409,
    google_account_taken: 409,
    last_way_in: 409,
    last_owner: 409,
    group_busy: 409,
    payload_too_large: 413,
    unsupported_media_type: 415,
    validation_failed: 422,
    rate_limited: 429,
    headers_too_large: 431,
    internal_error: 500,
    google_sign_in_off: 501,
    mail_off: 501,
    database_unavailable: 503,
    chat_server_unavailable: 503,
    call_server_unavailable: 503,
    identity_provider_unavailable: 503,
    account_busy: 503,
  });
});
