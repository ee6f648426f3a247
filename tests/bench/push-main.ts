import { comparePushes } from './pushes.js';

/** Prints how fast pushes leave. Needs no platform. */
const { ours, reference, ratio } = await comparePushes();
const rate = (value: number): string => `${Math.round(value).toLocaleString('en')}/s`;

console.log('| what | ours | reference | ratio | goal |');
console.log('|---|---|---|---|---|');
console.log(
  `| pushes to APNs : bare node-apn | ${rate(ours)} | ${rate(reference)} | ${ratio.toFixed(2)} | ≥ 0.8, ≥ 500/s |`,
);
if (ratio < 0.8 || ours < 500) process.exitCode = 1;
