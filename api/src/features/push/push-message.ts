import type { PushMessage } from '../../clients/push/push-client.js';
import type { PushNotification } from './push-notification.js';

/** Longer names are cut: with all that belongs to a call a push has to stay under 4 kB, in any script. */
const MOST_NAME = 100;

/** How long what is no call is worth something to a device that is away, in milliseconds. */
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const WEEK = 7 * DAY;

/**
 * What a device is told of a notification: docs/push.md lists the fields for the authors of apps.
 * @param showCaller whether it may say who calls (PUSH_SHOW_CALLER)
 */
export function messageOf(notification: PushNotification, showCaller: boolean, now: Date): PushMessage {
  const within = (ms: number): Date => new Date(now.getTime() + ms);
  const usual = { rings: false, shown: null, urgent: true, topic: null };
  switch (notification.kind) {
    case 'call': {
      const { expiresAt } = notification;
      return { ...usual, rings: true, data: callData(notification, showCaller), expiresAt };
    }
    case 'call_ended': {
      const { callId, reason } = notification;
      const data = { type: 'call_ended', call_id: callId, reason };
      if (reason === 'missed') return { ...usual, data, shown: 'Missed call', expiresAt: within(DAY) };
      return { ...usual, data, expiresAt: within(MINUTE) };
    }
    case 'message': {
      const { urgent } = notification;
      const shown = urgent ? 'New message' : null;
      return { ...usual, data: { type: 'message' }, shown, urgent, topic: 'message', expiresAt: within(WEEK) };
    }
    case 'test':
      return { ...usual, data: { type: 'test' }, shown: 'Test', expiresAt: within(MINUTE) };
  }
}

type Call = Extract<PushNotification, { kind: 'call' }>;

function callData({ callId, callType, callerUsername, callerName, expiresAt }: Call, showCaller: boolean) {
  const data: Record<string, string> = { type: 'call', call_id: callId, call_type: callType };
  data.expires_at = expiresAt.toISOString();
  if (showCaller) data.caller_username = callerUsername;
  if (showCaller && callerName !== null) data.caller_name = cut(callerName);
  return data;
}

/** Between characters, not within one. */
const cut = (name: string): string => [...name].slice(0, MOST_NAME).join('');
