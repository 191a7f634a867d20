/** Where one goes on: what this device still holds counts when it is newer than what the box knows. */
import { describe, expect, it } from 'vitest';
import type { Play } from '../src/lib/api-types';
import { withHeld } from '../src/player/place';
import type { Draft, Verb } from '../src/player/sensor-events';
import { statement, told } from '../src/player/statement';

const START = Date.parse('2026-11-23T18:00:00.000Z');
const play = (known: Partial<Play>): Play =>
  ({
    version: 2,
    duration_ms: 100_000,
    resume_ms: 10_000,
    played_segments: '0[.]10',
    hidden_segments: '',
    muted_segments: '',
    watched: 0.1,
    completed: false,
    ...known,
  }) as Play;

function said(verb: Verb, second: number, result: Draft['result'], version = 2): string {
  const draft: Draft = { verb, wall_ms: START + second * 1000, result, context: { length: 100 } };
  const viewing = {
    actor: {},
    activity_id: 'a',
    registration: 'r',
    version,
    title: 't',
    language: 'und',
    session: 's',
    user_agent: '',
  };
  const device = { time: '', 'offset-ms': 0 };
  return JSON.stringify(statement(draft, viewing, `id-${second}`, device));
}
const list = (segments: string) => ({ 'played-segments': segments });

describe('the place', () => {
  it('is where a killed browser was, though it could not say so', () => {
    const lastWords = [
      said('paused', 60, { time: 55, ...list('0[.]10[,]10[.]55') }),
      said('terminated', 60, { time: 55, ...list('0[.]10[,]10[.]55') }),
    ];
    const found = withHeld(play({}), { waiting: [], lastWords });
    expect(found.resume_ms).toBe(55_000);
    // Its session may yet say this itself: the new one does not begin with it.
    expect(found.played_segments).toBe('0[.]10');
  });

  it('and what was played come from statements that still wait', () => {
    const waiting = [
      said('paused', 30, { time: 40, ...list('0[.]10[,]10[.]40') }),
      said('seeked', 31, { 'time-from': 40, 'time-to': 70, ...list('0[.]10[,]10[.]40') }),
      said('terminated', 90, { time: 70, ...list('0[.]10[,]10[.]40') }),
    ];
    expect(withHeld(play({}), { waiting, lastWords: [] })).toMatchObject({
      resume_ms: 70_000,
      played_segments: '0[.]10[,]10[.]40',
      watched: 0.4,
      completed: false,
    });
  });

  it('stays the box’s when somebody watched on elsewhere', () => {
    const waiting = [said('paused', 30, { time: 40, ...list('0[.]10[,]10[.]40') })];
    const answer = play({ played_segments: '0[.]10[,]50[.]60', resume_ms: 60_000 });
    expect(withHeld(answer, { waiting, lastWords: [] })).toEqual(answer);
  });

  it('is not taken from a tab that only closes or changes its volume', () => {
    const lastWords = [
      said('interacted', 500, { time: 3, ...list('0[.]10') }),
      said('terminated', 500, { time: 3, ...list('0[.]10') }),
    ];
    expect(withHeld(play({}), { waiting: [], lastWords })).toEqual(play({}));
  });

  it('is one of the version that plays', () => {
    const waiting = [said('paused', 30, { time: 40, ...list('0[.]10[,]10[.]40') }, 1)];
    expect(withHeld(play({}), { waiting, lastWords: [] })).toEqual(play({}));
  });

  it('may be told by what another version of the page wrote, or not be told at all', () => {
    const waiting = ['', 'null', '{"verb":{"id":"x"}}', '{"context":{}}'];
    expect(withHeld(play({}), { waiting, lastWords: [] })).toEqual(play({}));
  });
});

it('a completion that still waits is not said twice', () => {
  const waiting = [said('completed', 30, { time: 95, ...list('0[.]95'), completion: true })];
  expect(withHeld(play({}), { waiting, lastWords: [] }).completed).toBe(true);
});

it('a box that cut a pass in two knows no more than one that did not', () => {
  const waiting = [said('paused', 30, { time: 40, ...list('0[.]40') })];
  const answer = play({ played_segments: '0[.]9[,]9[.]10' });
  expect(withHeld(answer, { waiting, lastWords: [] }).resume_ms).toBe(40_000);
});

it('a statement is read back as it was made', () => {
  const body = said('seeked', 5, { 'time-from': 3, 'time-to': 7, ...list('0[.]3') });
  expect(told(body)).toEqual({
    verb: 'seeked',
    version: '2',
    at_ms: START + 5000,
    place_s: 7,
    played: '0[.]3',
    hidden: undefined,
    muted: undefined,
  });
});
