/**
 * Where to go on, when this device knows more than the box: what was watched here and is not sent yet, be it that the
 * network is gone or that the browser was killed. Pure.
 *
 * The box does not say when its own place was told. But a list of ours began with all that the box knew then: so ours is
 * the newer one exactly when the box has no pass that ours lacks. Otherwise somebody watched on elsewhere, and it stays.
 */
import type { Play } from '../lib/api-types';
import { parse, ratio, total, visible } from './segments';
import { told, type Told } from './statement';

/** What this browser holds of a registration, as the bodies of statements. */
export interface Held {
  /** On their way to the box, before all that a new session says. */
  waiting: readonly string[];
  /** What sessions that have not ended would say if they did: good for a place, but they may yet say it themselves. */
  lastWords: readonly string[];
}

/** Those that tell where a learner was: who closes a tab or turns down the volume is nowhere new. */
const PLACES = new Set(['paused', 'seeked', 'completed']);
/** Seconds: the box and we round alike, but sums of many pieces. */
const ROUNDING_S = 0.05;

/** `play` with what `held` knows better. */
export function withHeld(play: Play, held: Held): Play {
  const read = (bodies: readonly string[]): Told[] =>
    bodies
      .map(told)
      .filter((one): one is Told => one !== null && one.version === String(play.version));
  const waiting = read(held.waiting);
  const lists = newest(waiting, play);
  const place = newest([...waiting, ...read(held.lastWords)], play);
  return {
    ...play,
    ...(lists && listsOf(lists, play.duration_ms / 1000)),
    ...(place && { resume_ms: Math.round((place.place_s ?? 0) * 1000) }),
    completed: play.completed || waiting.some(({ verb }) => verb === 'completed'),
  };
}

function newest(said: readonly Told[], play: Play): Told | null {
  const places = said.filter(
    ({ verb, place_s, played }) =>
      PLACES.has(verb) && place_s !== undefined && played !== undefined,
  );
  const last = places.reduce<Told | null>(
    (best, one) => (best && best.at_ms > one.at_ms ? best : one),
    null,
  );
  return last && hasAllOf(last, play) ? last : null;
}

function hasAllOf(ours: Told, play: Play): boolean {
  const more = visible(parse(play.played_segments), parse(ours.played ?? ''));
  return total(more) < ROUNDING_S;
}

function listsOf(
  { played = '', hidden = '', muted = '' }: Told,
  length_s: number,
): Pick<Play, 'played_segments' | 'hidden_segments' | 'muted_segments' | 'watched'> {
  return {
    played_segments: played,
    hidden_segments: hidden,
    muted_segments: muted,
    watched: ratio(visible(parse(played), parse(hidden)), length_s),
  };
}
