/**
 * Who watches: the monitor mails the operator when the API is gone, and Prometheus keeps the metrics of every API process.
 */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { checkout } from '../support/checkout.js';
import { compose } from '../support/containers.js';
import { https } from '../support/https.js';
import { MailServer } from '../support/mail-server.js';
import { platform, secret } from '../support/platform.js';
import { until } from '../support/wait.js';

const OPERATOR = process.env.ALERT_EMAIL ?? '';
const API_PROCESSES = Number(process.env.API_PROCESSES);
/** Prometheus looks for targets each 10 s and asks each of them each 15 s. */
const SCRAPED_WITHIN = { timeoutMs: 90_000 };

let mails: MailServer;

beforeAll(async () => {
  mails = await MailServer.start({
    host: process.env.SMTP_HOST ?? '',
    address: platform.clientAddress,
    port: Number(process.env.SMTP_PORT),
    password: secret('smtp_password'),
  });
});

afterAll(() => mails.stop());

const told = (text: RegExp): Promise<string> =>
  until(`a mail has ${text}`, () => mails.texts(OPERATOR).find((mail) => text.test(mail)));

describe('the monitor', () => {
  it('mails that no API process is there, and that they are back', async () => {
    await compose('stop', 'api');
    try {
      expect(await told(/^Subject: .*DOWN: .*api/m)).toContain('apps can neither register nor log in');
    } finally {
      await compose('up', '--detach', '--wait', '--no-build');
    }
    await told(/^Subject: .*back: .*api/m);
    await until('the proxy has found them', async () => (await https.get(`${platform.apiUrl}/health`)).status === 200);
  });
});

/** Asks Prometheus, which nobody reaches from outside. */
async function ask<T>(question: string, query = ''): Promise<T> {
  const request = ['--get', '--silent', '--data-urlencode', `query=${query}`];
  const answer = await compose(
    'exec',
    '-T',
    'prometheus',
    'curl',
    ...request,
    `http://127.0.0.1:9090/api/v1/${question}`,
  );
  const { status, data, error } = JSON.parse(answer) as { status: string; data: T; error?: string };
  if (status !== 'success') throw new Error(`${query}: ${error}`);
  return data;
}

interface Rule {
  name: string;
  health: string;
  state: string;
}

const sources = (...names: string[]): string => readFileSync(path.join(checkout, 'scripts', ...names), 'utf8');

describe('Prometheus', () => {
  it('has what every API process tells', async () => {
    await until(
      'it has asked all of them',
      async () => {
        const { result } = await ask<{ result: { value: [number, string] }[] }>('query', 'up{job="veil"} == 1');
        return result.length === API_PROCESSES;
      },
      SCRAPED_WITHIN,
    );
    const { result } = await ask<{ result: unknown[] }>('query', 'veil_http_connections');
    expect(result).toHaveLength(API_PROCESSES);
  });

  it('has taken every rule, and raises no alarm that a server is down', async () => {
    const rules = await until(
      'all are evaluated',
      async () => {
        const { groups } = await ask<{ groups: { rules: Rule[] }[] }>('rules');
        const all = groups.flatMap((group) => group.rules);
        return all.every(({ health }) => health === 'ok') && all;
      },
      SCRAPED_WITHIN,
    );
    expect(rules.length).toBe(sources('prometheus', 'alerts.yml').match(/- alert:/g)?.length);
    expect(rules.filter(({ state }) => state === 'firing')).toEqual([]);
  });

  it('understands every question of the dashboard', async () => {
    const { panels } = JSON.parse(sources('grafana', 'dashboard.json')) as {
      panels: { targets: { expr: string }[] }[];
    };
    const questions = panels.flatMap(({ targets }) => targets.map(({ expr }) => expr));
    expect(questions.length).toBeGreaterThan(5);
    for (const question of questions) await ask('query', question.replaceAll('$__rate_interval', '1m'));
  });
});
