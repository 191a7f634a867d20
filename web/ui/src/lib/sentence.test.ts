import { describe, expect, it } from 'vitest';

import type { StatementItem, Xapi } from './api-types';
import { curl, identifier, inLanguage, outcome, plainSentence, sentence } from './sentence';

const VIDEO = 'https://w3id.org/xapi/video';
const ADA = { kind: 'person' as const, person: { id: 'p1', name: 'Ada' } };

function item(statement: Xapi, more: Partial<StatementItem> = {}): StatementItem {
  return {
    id: '0f500aa5-65cf-4e15-839e-5d04b855194b',
    stored: '2026-11-26T05:00:00Z',
    timestamp: '2026-11-26T05:00:00Z',
    actor: { kind: 'other' },
    voided: false,
    statement,
    ...more,
  };
}

const inVideo = (verb: string, extensions: Record<string, unknown> = {}): Xapi => ({
  verb: { id: verb },
  object: { id: 'https://a.example/videos/1', definition: { name: { en: 'An old title' } } },
  result: {
    extensions: Object.fromEntries(
      Object.entries(extensions).map(([name, value]) => [`${VIDEO}/extensions/${name}`, value]),
    ),
  },
});

describe('a statement as a sentence', () => {
  it.each([
    [`${VIDEO}/verbs/paused`, { time: 12.4 }, 'Ada paused “Lecture 3” at 0:12'],
    [`${VIDEO}/verbs/paused`, {}, 'Ada paused “Lecture 3”'],
    [`${VIDEO}/verbs/played`, { time: 3723 }, 'Ada played “Lecture 3” from 1:02:03'],
    [
      `${VIDEO}/verbs/seeked`,
      { 'time-from': 5, 'time-to': 65 },
      'Ada jumped in “Lecture 3” from 0:05 to 1:05',
    ],
    [`${VIDEO}/verbs/seeked`, { 'time-from': 5 }, 'Ada jumped in “Lecture 3”'],
    ['http://adlnet.gov/expapi/verbs/completed', {}, 'Ada completed “Lecture 3”'],
  ])('%s %o', (verb, extensions, expected) => {
    const video = { id: 'v1', title: 'Lecture 3' };
    expect(plainSentence(item(inVideo(verb, extensions), { actor: ADA, video }))).toBe(expected);
  });

  it('sets who and what apart', () => {
    const kinds = sentence(item(inVideo(`${VIDEO}/verbs/paused`), { actor: ADA })).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(['actor', 'text', 'object']);
  });

  it('of a verb without words takes its own, in a language the reader knows', () => {
    const statement = {
      actor: { mbox: 'mailto:eve@example.org' },
      verb: { id: 'https://x.example/verbs/sang', display: { de: 'sang (de)', 'en-US': 'sang' } },
      object: { id: 'https://x.example/songs/summer' },
    };
    expect(plainSentence(item(statement))).toBe('eve@example.org sang “summer”');
    expect(
      plainSentence(item({ ...statement, verb: { id: 'https://x.example/verbs/hummed' } })),
    ).toBe('eve@example.org hummed “summer”');
  });

  it('names nobody who is not there to be named', () => {
    const done = inVideo('http://adlnet.gov/expapi/verbs/completed');
    const who = (kind: 'device' | 'erased'): string =>
      sentence(item({ ...done, actor: { name: 'Ada' } }, { actor: { kind } }))[0]?.text ?? '';
    expect([who('device'), who('erased')]).toEqual([
      'A visitor’s device',
      'Somebody who was erased',
    ]);
  });

  it('reads objects that are no activities', () => {
    const voided = { id: 'http://adlnet.gov/expapi/verbs/voided' };
    const ref = { objectType: 'StatementRef', id: '0f500aa5-65cf-4e15-839e-5d04b855194b' };
    const actor = { name: 'IT', account: { homePage: 'https://a', name: 'x' } };
    expect(plainSentence(item({ actor, verb: voided, object: ref }))).toBe(
      'IT took back “statement 0f500aa5”',
    );
    const group = { objectType: 'Group', member: [] };
    const verb = { id: 'https://x.example/praised' };
    expect(plainSentence(item({ actor, verb, object: group }))).toBe('IT praised “A group”');
  });

  it('is never stopped by what is not as it should be', () => {
    const odd = [
      {},
      { actor: 7, verb: null, object: [] },
      { verb: { id: `${VIDEO}/verbs/paused` }, result: { extensions: 'x' } },
      { ...inVideo(`${VIDEO}/verbs/paused`, { time: 'soon' }), object: { id: '{actor}' } },
      { verb: { id: 'constructor' }, object: { definition: { name: { en: '$& {at}' } } } },
    ];
    for (const statement of odd) expect(plainSentence(item(statement))).toContain('“');
    expect(plainSentence(item(odd[4] as Xapi))).toContain('“$& {at}”');
  });
});

describe('what came of it', () => {
  it('is said in few words', () => {
    const result = {
      score: { scaled: 0.8, raw: 8, max: 10 },
      success: true,
      response: 'heat',
      duration: 'PT1M30S',
    };
    expect(outcome({ result })).toEqual(['score 80\u00a0%', 'right', 'said: heat', '2 min']);
    expect(outcome({ result: { score: { raw: 8, max: 10 } } })).toEqual(['8 of 10 points']);
    expect(outcome({ result: { duration: 'P1Y' } })).toEqual([]);
    expect(outcome({})).toEqual([]);
  });
});

describe('names and addresses', () => {
  it('choose the language that the reader knows best', () => {
    expect(inLanguage({ de: 'a', 'en-GB': 'b' })).toBe('b');
    expect(inLanguage({ de: 'a', fr: 'c' })).toBe('a');
    expect([inLanguage({}), inLanguage(null), inLanguage({ en: 3 })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
  });

  it('say who an agent is', () => {
    expect(identifier({ account: { homePage: 'https://a', name: 'x' } })).toBe('https://a x');
    expect(identifier({ mbox: 'mailto:a@b' })).toBe('mailto:a@b');
    expect(identifier({ objectType: 'Group' })).toBe('');
  });

  it('lead a shell to the statement by the version it was sent in', () => {
    const one = item({ version: '1.0.0' });
    expect(curl(one, 'https://box')).toBe(
      "curl --user 'KEY:SECRET' --header 'X-Experience-API-Version: 1.0.3' " +
        `'https://box/xapi/statements?statementId=${one.id}'`,
    );
    expect(curl({ ...one, voided: true }, '')).toContain('voidedStatementId=');
  });
});
