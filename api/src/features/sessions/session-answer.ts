import type { OpenSession } from './session.service.js';
import type { SessionAnswer } from './sessions.dto.js';

/** The answer to whatever opens or refreshes a session. @param expiresIn seconds that the access token lives */
export function sessionAnswer(session: OpenSession, expiresIn: number): SessionAnswer {
  return {
    jid: session.jid,
    token: session.accessToken,
    access_token: session.accessToken,
    token_type: 'Bearer',
    expires_in: expiresIn,
    refresh_token: session.refreshToken,
    user_id: session.accountNumber,
    id: session.accountNumber,
    username: session.username,
    session_id: session.id,
    device_id: session.deviceId,
  };
}
