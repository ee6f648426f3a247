import { FakeApns } from '@veil/api/dist/testing/push/fake-apns.js';

/**
 * APNs for the benchmarks, in a process of its own. Started with an IPC channel: says where it is, and answers each message
 * with how many pushes it has taken since the last.
 */
const apns = await FakeApns.start();
process.on('message', () => {
  process.send?.(apns.accepted.length);
  apns.forget();
});
process.once('disconnect', () => void apns.stop().then(() => process.exit(0)));
process.send?.(apns.environment);
