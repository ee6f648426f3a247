import axios, { type AxiosResponse } from 'axios';
import { platform } from './platform.js';

const admin = axios.create({
  baseURL: `http://127.0.0.1:${platform.ports.xmppApi}/api/v0`,
  headers: { host: platform.domain },
  proxy: false,
  validateStatus: () => true,
});

/** A command of ejabberd's admin API, as the API itself calls it. */
export const ejabberd = (command: string, args: Record<string, unknown> = {}): Promise<AxiosResponse> =>
  admin.post(`/${command}`, args);

interface AffiliationRow {
  username: string;
  domain: string;
  affiliation: string;
}

/** Who has which affiliation with a room, by bare JID; undefined when there is no such room. */
export async function affiliationsOf(roomJid: string): Promise<Record<string, string> | undefined> {
  const [name, service] = roomJid.split('@');
  const { status, data } = await ejabberd('get_room_affiliations', { name, service });
  if (status !== 200) return undefined;
  return Object.fromEntries(
    (data as AffiliationRow[]).map((row) => [`${row.username}@${row.domain}`, row.affiliation]),
  );
}

/** The bare JIDs that are subscribed to a room's messages (MucSub). */
export async function subscribersOf(roomJid: string): Promise<string[]> {
  const [name, service] = roomJid.split('@');
  const { data } = await ejabberd('get_subscribers', { name, service });
  return (data as string[]).map((jid) => jid.split('/')[0]!).sort();
}

/** The settings of a room, as ejabberd names and writes them. */
export async function optionsOf(roomJid: string): Promise<Record<string, string>> {
  const [name, service] = roomJid.split('@');
  return (await ejabberd('get_room_options', { name, service })).data;
}
