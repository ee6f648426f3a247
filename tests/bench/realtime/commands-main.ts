import { measureCommands } from './commands.js';

const [perSecond = 3000, seconds = 10] = process.argv.slice(2).map(Number);
await measureCommands(500, 2);
const { perSecond: reached, p50, p99, lost } = await measureCommands(perSecond, seconds);
console.log('| durable commands | reached | p50 | p99 | lost | goal |\n|---|---|---|---|---|---|');
console.log(
  `| ${perSecond}/s for ${seconds} s | ${Math.round(reached)}/s | ${p50.toFixed(1)} ms | ${p99.toFixed(1)} ms | ${lost} | ≥ 3,000/s, p99 < 25 ms, none lost |`,
);
