import TestSequencer from '@jest/test-sequencer';

/**
 * The longer stories and about how many seconds each takes alone, spread over three lanes: those that keep the processors
 * busy come one after the other, or beside those that mostly wait. A wrong number costs time, nothing else.
 */
const LANES = [
  { 'half-done': 155, platform: 65, canary: 110, operator: 40 },
  {
    faults: 90,
    'delete-killed': 55,
    doctor: 75,
    backup: 35,
    certificates: 25,
    'graceful-stop': 12,
    monitor: 16,
    'chat-push': 25,
  },
  {
    'sip-abuse': 50,
    'relay-processes': 40,
    'call-wake': 38,
    'sip-calls': 30,
    'sip-unanswered': 30,
    'two-processes': 25,
    'browser-calls': 22,
    'sip-listeners': 22,
    'limits-processes': 9,
    'relay-drops': 14,
    'call-push': 22,
    'call-history': 16,
    'sip-security': 14,
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
