import { integer, type SettingReader, setting } from './setting.js';

export const callSettings = {
  RING_SECONDS: setting(
    'RING_SECONDS',
    integer(0, 180),
    45,
    'How long a call rings, also while its callee is being woken, in seconds. 0: nobody is waited for.',
  ),
};

export interface CallsConfig {
  ringSeconds: number;
}

export function readCalls({ read }: SettingReader): CallsConfig {
  return { ringSeconds: read(callSettings.RING_SECONDS) };
}
