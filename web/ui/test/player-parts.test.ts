/** The player's small pure parts: keys, captions, storyboard, preferences, spoken times. */
import { describe, expect, it } from 'vitest';
import { begun, cuesAt, lineAt, parseCues, search } from '../src/player/cues';
import { load, save } from '../src/player/preferences';
import { dragged } from '../src/player/scrub';
import { action, slide, type Focus } from '../src/player/shortcuts';
import { tileAt } from '../src/player/storyboard';
import { renewed } from '../src/player/texts';
import { spokenTime } from '../src/player/time';
import { readingTime, voiceFor } from '../src/player/voice';

const press = (key: string, focus: Focus = 'frame', more: object = {}) =>
  action({ key, ctrlKey: false, altKey: false, metaKey: false, ...more }, focus);

describe('shortcuts', () => {
  it.each([
    [' ', { kind: 'toggle' }],
    ['k', { kind: 'toggle' }],
    ['K', { kind: 'toggle' }],
    ['j', { kind: 'skip', seconds: -10 }],
    ['l', { kind: 'skip', seconds: 10 }],
    ['m', { kind: 'mute' }],
    ['c', { kind: 'captions' }],
    ['d', { kind: 'descriptions' }],
    ['f', { kind: 'fullscreen' }],
    ['7', { kind: 'seek', share: 0.7 }],
    [',', { kind: 'frame', step: -1 }],
    ['.', { kind: 'frame', step: 1 }],
    ['ArrowRight', { kind: 'skip', seconds: 5 }],
    ['PageDown', { kind: 'skip', seconds: -60 }],
    ['Home', { kind: 'seek', share: 0 }],
    ['End', { kind: 'seek', share: 1 }],
  ])('%j', (key, expected) => expect(press(key)).toEqual(expected));

  it('leave modified keys to the browser', () => {
    for (const modifier of ['ctrlKey', 'altKey', 'metaKey'])
      expect(press('f', 'frame', { [modifier]: true })).toBeNull();
  });

  it('leave a button its space, a slider its arrows and a menu all its keys', () => {
    expect(press(' ', 'button')).toBeNull();
    expect(press('ArrowLeft', 'slider')).toBeNull();
    expect(press('Home', 'slider')).toBeNull();
    expect(press('m', 'menu')).toBeNull();
    expect(press('m', 'slider')).toEqual({ kind: 'mute' });
  });

  it('turn round where one reads from right to left', () => {
    const pressed = { key: 'ArrowRight', ctrlKey: false, altKey: false, metaKey: false };
    expect(action(pressed, 'frame', true)).toEqual({ kind: 'skip', seconds: -5 });
    expect(slide('ArrowRight', 50, 100, 5, 60, true)).toBe(45);
  });

  it('keep a slider within its ends', () => {
    expect(slide('ArrowRight', 98, 100, 5, 60)).toBe(100);
    expect(slide('PageDown', 30, 100, 5, 60)).toBe(0);
    expect(slide('End', 30, 100, 5, 60)).toBe(100);
    expect(slide('x', 30, 100, 5, 60)).toBeNull();
  });
});

describe('a drag on the seek bar', () => {
  const from = { seconds: 100, share: 0.5, moved: 0.1 };
  it('is where the pointer is while near the bar', () =>
    expect(dragged({ ...from, away_px: 0 }, 1000)).toBe(500));
  it('goes slower the further away', () => {
    expect(dragged({ ...from, away_px: 50 }, 1000)).toBe(125);
    expect(dragged({ ...from, away_px: 100 }, 1000)).toBe(106.25);
  });
  it('stays within the video', () => {
    expect(dragged({ ...from, moved: -1, away_px: 50 }, 1000)).toBe(0);
    expect(dragged({ ...from, seconds: 990, away_px: 50 }, 1000)).toBe(1000);
  });
});

describe('captions', () => {
  const vtt = `\uFEFFWEBVTT

NOTE not shown
at all

1
00:01.000 --> 00:03.500
So far the gas
<i>only</i> gets warmer &amp; warmer.

00:00:03.000 --> 00:00:05.000 line:0
<v Ada Lovelace>Nothing moves.</v>

01:00:00.000 --> 01:00:02.000
Élan`;
  const cues = parseCues(vtt);

  it('are read with times, plain text and who speaks', () => {
    expect(cues).toEqual([
      { from: 1, to: 3.5, text: 'So far the gas\nonly gets warmer & warmer.' },
      { from: 3, to: 5, text: 'Ada Lovelace: Nothing moves.' },
      { from: 3600, to: 3602, text: 'Élan' },
    ]);
  });

  it('overlap where they overlap', () => {
    expect(cuesAt(cues, 3.2)).toHaveLength(2);
    expect(cuesAt(cues, 5)).toEqual([]);
  });

  it('mark the line that began last', () => {
    expect([0, 1, 3, 100, 3600].map((time) => lineAt(cues, time))).toEqual([-1, 0, 1, 1, 2]);
  });

  it('are found by words in any order, case or accent', () => {
    expect(search(cues, 'WARMER gas')).toEqual([0]);
    expect(search(cues, 'elan')).toEqual([2]);
    expect(search(cues, '  ')).toEqual([]);
  });

  it('that are none give no cues', () =>
    expect(parseCues('\u0000\u0001 --> x\n\n-->')).toEqual([]));
});

describe('storyboard', () => {
  const board = {
    interval_ms: 5000,
    width: 160,
    height: 90,
    columns: 2,
    rows: 2,
    sheets: ['a', 'b'],
  };
  it('finds sheet and tile', () => {
    expect(tileAt(board, 0)).toMatchObject({ url: 'a', x: 0, y: 0 });
    expect(tileAt(board, 16)).toMatchObject({ url: 'a', x: 160, y: 90 });
    expect(tileAt(board, 24.9)).toMatchObject({ url: 'b', x: 0, y: 0 });
  });
  it('shows nothing where no sheet is made yet', () => {
    expect(tileAt(board, 41)).toBeNull();
    expect(tileAt(null, 1)).toBeNull();
  });
});

describe('preferences', () => {
  it('survive the page, and nonsense is put right', () => {
    let kept = '';
    const chosen = { ...load(null), rate: 1.5, captions: 'de', size: 'large' as const };
    save(chosen, { setItem: (_, text) => void (kept = text) });
    expect(load({ getItem: () => kept })).toEqual(chosen);
    expect(load({ getItem: () => '{"rate":99,"volume":"x","size":"enormous"}' })).toEqual(
      load(null),
    );
    expect(load({ getItem: () => 'not json' })).toEqual(load(null));
  });
});

it('times are spoken as people say them', () => {
  expect([0, 5, 125, 600, 3661].map(spokenTime)).toEqual([
    '0 seconds',
    '5 seconds',
    '2 minutes 5 seconds',
    '10 minutes',
    '1 hour 1 minute 1 second',
  ]);
});

describe('descriptions', () => {
  const cues = [0, 2, 2.5, 9].map((from) => ({ from, to: from + 1, text: `at ${from}` }));

  it('begin once, the last one first of those that begin together', () => {
    expect(begun(cues, -0.001, 0)?.from).toBe(0);
    expect(begun(cues, 0, 1.9)).toBeNull();
    expect(begun(cues, 1.9, 2)?.from).toBe(2);
    expect(begun(cues, 2, 2.4)).toBeNull();
    expect(begun(cues, 1.9, 2.6)?.from).toBe(2.5);
    expect(begun([], 0, 100)).toBeNull();
  });

  it('are spoken by a voice of their region, of their language, or by none', () => {
    const voices = ['en-US', 'en_GB', 'de-DE', 'fr-FR'].map(
      // The French one speaks in somebody's cloud.
      (lang) => ({ lang, localService: lang !== 'fr-FR' }) as SpeechSynthesisVoice,
    );
    expect(voiceFor('en-GB', voices)?.lang).toBe('en_GB');
    expect(voiceFor('en', voices)?.lang).toBe('en-US');
    expect(voiceFor('de-CH', voices)?.lang).toBe('de-DE');
    expect(voiceFor('fr', voices)).toBeNull();
    expect(voiceFor('en', [])).toBeNull();
  });

  it('take longer the longer they are', () => {
    expect(readingTime('A red door.')).toBeLessThan(2000);
    expect(readingTime('x'.repeat(280))).toBeGreaterThan(15_000);
  });
});

describe('texts that change while a video plays', () => {
  const text = (language: string, revision: number, url: string) => ({
    ...{ language, revision, url, label: language, machine_made: false },
    updated: '2026-11-28T00:00:00Z',
  });
  const known = [text('de', 1, '/media/de.1.vtt'), text('en', 2, '/media/en.2.vtt')];

  it('are told apart by language and revision', () => {
    expect(renewed(known, [text('de', 1, '/api/de'), text('en', 2, '/api/en')])).toBeNull();
    const now = renewed(known, [text('de', 1, '/api/de'), text('en', 3, '/api/en')]);
    expect(now?.map(({ url }) => url)).toEqual(['/media/de.1.vtt', '/api/en?revision=3']);
    expect(renewed(known, [])).toEqual([]);
    expect(renewed([], [text('fr', 1, '/api/fr')])?.length).toBe(1);
  });
});
