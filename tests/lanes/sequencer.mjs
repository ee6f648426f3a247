import TestSequencer from '@jest/test-sequencer';

/**
 * The longer stories and about how many seconds each takes alone, spread over four lanes: those that keep the processors
 * busy come one after the other, or beside those that mostly wait. A wrong number costs time, nothing else.
 */
const LANES = [
  { 'half-done': 120, platform: 95, certificates: 50, operator: 47, 'delete-killed': 26 },
  { canary: 120, doctor: 90, backup: 66, 'chat-push': 27, 'graceful-stop': 14 },
  {
    faults: 90,
    'sip-bodies': 40,
    'relay-processes': 39,
    'call-wake': 38,
    'sip-calls': 34,
    'sip-unanswered': 30,
    'two-processes': 27,
  },
  {
    'sip-abuse': 47,
    'browser-calls': 24,
    'call-push': 23,
    'sip-listeners': 21,
    sessions: 17,
    'call-history': 16,
    'inherit-nothing': 15,
    'sip-security': 15,
    retention: 14,
    groups: 14,
    'sip-push': 14,
    'relay-drops': 13,
    firewall: 12,
    monitor: 11,
    ejabberd: 11,
  },
];

/** Each story of a lane with the second at which it begins. */
function beginnings(lane) {
  let now = 0;
  return Object.entries(lane).map(([name, seconds]) => {
    const at = now;
    now += seconds;
    return { name, at };
  });
}

/** Workers take the next story from one list: this is it when there is one for each lane. The short ones fill up at the end. */
const ORDER = LANES.flatMap(beginnings).sort((one, other) => one.at - other.at);

/** Keeps all lanes at work without having them wait for the processors. */
export default class BusyBesideWaiting extends TestSequencer {
  sort(tests) {
    const place = ({ path }) => ORDER.findIndex(({ name }) => path.endsWith(`/${name}.spec.js`)) >>> 0;
    return [...tests].sort((one, other) => place(one) - place(other) || one.path.localeCompare(other.path));
  }
}
