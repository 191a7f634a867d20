// What someone has watched, in words: the text that goes with every ribbon.
import { m } from '../messages';
import type { Mine, Segment, VideoItem } from './api-types';
import { eta, percent, stretches } from './format';

/** Less than this is "just begun". */
const JUST_BEGUN = 0.02;

export function watchedShort(mine: Mine | null | undefined): string {
  if (!mine || (mine.segments.length === 0 && !(mine.watched > 0))) return m.library.notStarted;
  if (mine.completed || mine.watched >= 0.9995) return m.library.watched;
  if (mine.watched < JUST_BEGUN) return m.library.justBegun;
  return m.library.watchedPart(percent(mine.watched));
}

/** `46 % watched: 0:00–18:22, 25:08–30:55` */
export function watchedLong(watched: number, segments: readonly Segment[]): string {
  if (segments.length === 0) return m.library.notStarted;
  return m.library.watchedWhere(percent(watched), stretches(segments));
}

/** `playable now · 2 of 5 renditions · 6 min left` */
export function preparing(video: VideoItem): string {
  const parts: string[] = [];
  if (video.state === 'queued') parts.push(m.library.queued);
  if (video.state === 'processing') parts.push(m.library.processing);
  if (video.state === 'playable') parts.push(m.library.playable);
  if (video.state === 'failed') parts.push(m.library.failed);
  const busy = video.state === 'processing' || video.state === 'playable';
  if (busy && video.renditions_total) {
    parts.push(m.library.renditionsOf(video.renditions_done ?? 0, video.renditions_total));
  }
  if (busy && video.eta_ms) parts.push(m.library.left(eta(video.eta_ms)));
  return parts.join(' · ');
}
