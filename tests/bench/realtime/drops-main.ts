import { measureDrops } from './drops.js';

const [clients = 2000, seconds = 45] = process.argv.slice(2).map(Number);
const { owed, got, doubled } = await measureDrops(clients, seconds);
console.log(`| ${clients} clients that drop every 15 s for 2 s | ${got} of ${owed} | ${doubled} doubled | goal: all |`);
process.exit(0);
