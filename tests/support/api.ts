import { randomBytes } from 'node:crypto';
import axios, { type AxiosInstance } from 'axios';
import { httpsAgent } from './https.js';
import { platform } from './platform.js';

/** The API as a client sees it. No status is an exception: stories assert on it. */
export function apiClient(token?: string): AxiosInstance {
  return axios.create({
    baseURL: `${platform.apiUrl}/api/v1`,
    httpsAgent,
    headers: token ? { authorization: `Bearer ${token}` } : {},
    validateStatus: () => true,
    timeout: 20_000,
    proxy: false,
  });
}

export interface Account {
  username: string;
  password: string;
  jid: string;
  token: string;
  api: AxiosInstance;
}

/** A name no other test uses: stories share one platform. */
export const uniqueName = (prefix = 'u'): string => `${prefix}_${randomBytes(5).toString('hex')}`;

/** Registers a fresh account through the API and returns it with a client that carries its token. */
export async function registerAccount(prefix = 'u'): Promise<Account> {
  const username = uniqueName(prefix);
  const password = `Pw-${randomBytes(9).toString('base64url')}`;
  const answer = await apiClient().post('/account/register', { username, password });
  if (answer.status !== 201) throw new Error(`register answered ${answer.status}: ${JSON.stringify(answer.data)}`);
  return { username, password, jid: answer.data.jid, token: answer.data.token, api: apiClient(answer.data.token) };
}
