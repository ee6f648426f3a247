import TestSequencer from '@jest/test-sequencer';

/**
 * The longest stories and about how many seconds each takes alone: in one lane those that keep the processors busy, beside
 * them in the other those that mostly wait. A wrong number costs time, nothing else.
 */
const BUSY = {
  'half-done': 230,
  'delete-killed': 110,
  platform: 75,
  'graceful-stop': 20,
  monitor: 15,
  doctor: 100,
  canary: 110,
  operator: 55,
};
const WAITING = {
  'sip-abuse': 44,
  'call-wake': 40,
  'sip-calls': 34,
  'sip-unanswered': 31,
  'sip-listeners': 22,
  'call-history': 17,
  'sip-security': 15,
  'two-processes': 27,
  'relay-processes': 40,
  'call-push': 24,
  'browser-calls': 27,
  'chat-push': 36,
  certificates: 36,
  backup: 36,
  faults: 125,
};

/** Each story of a lane with the second at which it begins. */
function beginnings(lane) {
  let now = 0;
  return Object.entries(lane).map(([name, seconds]) => {
    const at = now;
    now += seconds;
    return { name, at };
  });
}

/** Workers take the next story from one list: this is it when there are two of them. The short ones fill up at the end. */
const ORDER = [...beginnings(BUSY), ...beginnings(WAITING)].sort((one, other) => one.at - other.at);

/** Keeps both lanes at work without having them wait for the processors. */
export default class BusyBesideWaiting extends TestSequencer {
  sort(tests) {
    const place = ({ path }) => ORDER.findIndex(({ name }) => path.endsWith(`/${name}.spec.js`)) >>> 0;
    return [...tests].sort((one, other) => place(one) - place(other) || one.path.localeCompare(other.path));
  }
}
