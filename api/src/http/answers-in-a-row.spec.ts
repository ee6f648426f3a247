import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { AnswersInARow } from './answers-in-a-row.js';

describe('answers in a row', () => {
  const answer = (send: () => void, failed: (error: unknown) => void = fail) => ({ send, failed });
  const fail = (error: unknown): void => {
    throw error;
  };

  it('go out in their order at the end of the turn', async () => {
    const answers = new AnswersInARow();
    const sent: string[] = [];
    answers.add(answer(() => sent.push('first')));
    await Promise.resolve();
    answers.add(answer(() => sent.push('second')));
    expect(sent).toEqual([]);
    await nextTurn();
    expect(sent).toEqual(['first', 'second']);
  });

  it('wait for the next turn when they come while others go out', async () => {
    const answers = new AnswersInARow();
    const sent: string[] = [];
    answers.add(answer(() => answers.add(answer(() => sent.push('later')))));
    await nextTurn();
    expect(sent).toEqual([]);
    await nextTurn();
    expect(sent).toEqual(['later']);
  });

  it('go out although one of them can not', async () => {
    const answers = new AnswersInARow();
    const [sent, failed]: [string[], unknown[]] = [[], []];
    const broken = new Error('no such header');
    answers.add(
      answer(
        () => fail(broken),
        (error) => failed.push(error),
      ),
    );
    answers.add(answer(() => sent.push('second')));
    await nextTurn();
    expect([sent, failed]).toEqual([['second'], [broken]]);
  });
});
