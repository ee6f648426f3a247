/** What scripts/prometheus and scripts/grafana ask is what the API tells. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from '@jest/globals';
import { checkout } from '../support/checkout.js';

const file = (name: string): string => readFileSync(path.join(checkout, 'scripts', name), 'utf8');

/** The names of the metrics that the sources make. */
const made = readdirSync(path.join(checkout, 'api', 'src'), { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.ts') && !name.endsWith('.spec.ts'))
  .flatMap((name) => {
    const text = readFileSync(path.join(checkout, 'api', 'src', name), 'utf8');
    const counted = [...text.matchAll(/@Counted\('([a-z_]+)'\)/g)].map(([, metric]) => `veil_${metric}_total`);
    const named = text.matchAll(/\.(?:counter|histogram|gauges?)(?:<[^>]+>)?\(\s*'([a-z_]+)'/g);
    return [...counted, ...[...named].map(([, metric]) => `veil_${metric}`)];
  });

it.each(['prometheus/alerts.yml', 'grafana/dashboard.json'])('%s names metrics that there are', (name) => {
  const asked = [...file(name).matchAll(/veil_[a-z_]+/g)].map(([metric]) =>
    metric.replace(/_(?:count|bucket|sum)$/, ''),
  );
  expect(asked.length).toBeGreaterThan(5);
  expect([...new Set(asked)].filter((metric) => !made.includes(metric))).toEqual([]);
});

it('the dashboard is one that Grafana reads: every panel has a place and a query', () => {
  const { panels } = JSON.parse(file('grafana/dashboard.json')) as {
    panels: { id: number; gridPos: object; targets: { expr: string }[] }[];
  };
  expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
  expect(panels.every(({ gridPos, targets }) => gridPos && targets.every(({ expr }) => expr !== ''))).toBe(true);
});
