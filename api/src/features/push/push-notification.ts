/** Why a device stops ringing. `missed`: nobody took the call, and the device may say so. */
export const CALL_ENDS = ['cancelled', 'answered_elsewhere', 'declined_elsewhere', 'missed'] as const;
export type CallEnd = (typeof CALL_ENDS)[number];

/** What a device is told. None carries the text of a message, nor who wrote it. */
export type PushNotification =
  /** It shall ring: by a VoIP push where the platform has them. Nobody is told once `expiresAt` has passed. */
  | {
      kind: 'call';
      callId: string;
      callerUsername: string;
      /** As the caller calls himself; null when he does not. */
      callerName: string | null;
      callType: 'audio' | 'video';
      expiresAt: Date;
    }
  /** It shall stop ringing: never by a VoIP push, for an app that gets one has to ring. */
  | { kind: 'call_ended'; callId: string; reason: CallEnd }
  /** Something has arrived by XMPP; `urgent` unless it may wait until the device wakes by itself. */
  | { kind: 'message'; urgent: boolean }
  /** Its owner wants to see whether pushes arrive. */
  | { kind: 'test' };

/**
 * What became of it at the provider: `accepted` by it; `not_configured` by the operator; `unregistered`, the device's token
 * is dead and was deleted; `rejected`, the provider will never take it (credentials, topic, size); `failed`, it could not
 * be reached or was not willing within the time that there was.
 */
export const PUSH_RESULTS = ['accepted', 'not_configured', 'unregistered', 'rejected', 'failed'] as const;
export type PushResult = (typeof PUSH_RESULTS)[number];

export interface PushOutcome {
  deviceId: string;
  provider: string;
  result: PushResult;
  /** In words for whoever has to mend it; names no token. */
  detail: string;
  /** When that was known. */
  at: Date;
}
