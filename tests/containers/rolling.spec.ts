/**
 * The API's processes are replaced while clients use them.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from '@jest/globals';
import type { AxiosResponse } from 'axios';
import { apiClient, registerAccount } from '../support/api.js';
import { containers } from '../support/containers.js';

const ROLL = fileURLToPath(new URL('../../../scripts/containers/roll-api.sh', import.meta.url));
const CLIENTS = 6;
const PATIENCE_MS = 120_000;

describe('a rolling restart', () => {
  it(
    'replaces every process, and no request fails',
    async () => {
      const before = (await containers('api')).map(({ Id }) => Id);
      const { username, password, api } = await registerAccount('roll');
      const failures: unknown[] = [];
      let answers = 0;
      let over = false;
      const note = ({ status, data, headers }: AxiosResponse): void => {
        if (status === 200) answers += 1;
        else failures.push({ status, data, server: headers['x-request-id'] });
      };
      const work = async (): Promise<void> => {
        while (!over) {
          note(await api.get('/groups'));
          note(await apiClient().post('/account/login', { username, password }));
        }
      };
      const working = Promise.all(Array.from({ length: CLIENTS }, work));
      await promisify(execFile)(ROLL);
      over = true;
      await working;

      const after = (await containers('api')).map(({ Id }) => Id);
      expect(after).toHaveLength(before.length);
      expect(after.filter((id) => before.includes(id))).toEqual([]);
      expect(failures).toEqual([]);
      expect(answers).toBeGreaterThan(CLIENTS);
    },
    PATIENCE_MS,
  );
});
