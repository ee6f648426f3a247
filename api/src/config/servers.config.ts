import { secretSetting } from './setting.js';

/** Secrets that only the other servers' entrypoints read; they are listed here so that every setting stands in one table. */
export const serverSettings = {
  DB_EJABBERD_PASSWORD: secretSetting('DB_EJABBERD_PASSWORD', 16, 'Password of the role ejabberd.'),
  DB_KAMAILIO_PASSWORD: secretSetting('DB_KAMAILIO_PASSWORD', 16, 'Password of the role kamailio.'),
};
