import TestSequencer from '@jest/test-sequencer';

/**
 * Those that take longest, longest first, but for two that load the machine alike and had better not run side by side. What
 * is not listed comes after them; a wrong place costs time, nothing else.
 */
const LONG_STORIES = [
  ...['half-done', 'doctor', 'platform', 'backup', 'delete-killed', 'certificates', 'canary', 'faults', 'operator'],
  ...[
    'graceful-stop',
    'sip-abuse',
    'call-wake',
    'sip-calls',
    'chat-push',
    'sip-unanswered',
    'browser-calls',
    'call-push',
  ],
];

/** Begins with the longest stories, so that the lanes end at about the same time. */
export default class LongestFirst extends TestSequencer {
  sort(tests) {
    const place = ({ path }) => LONG_STORIES.findIndex((name) => path.endsWith(`/${name}.spec.js`)) >>> 0;
    return [...tests].sort((one, other) => place(one) - place(other) || one.path.localeCompare(other.path));
  }
}
