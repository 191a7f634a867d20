/**
 * When a video is completed: the rule of the box (`tracking/analytics/src/rule.rs`), in whole milliseconds as there, so
 * that the player says `completed` exactly where the box would find it. Pure.
 */
import type { Segment } from './segments';
import type { Completion } from './sensor-events';

/** Media rarely ends at the millisecond its length says. */
const END_SLACK_MS = 1000;

/** `shown`: what was seen at least once, in order and apart from one another (`visible`). */
export function isCompleted(
  completion: Completion,
  shown: readonly Segment[],
  length_s: number,
): boolean {
  const last = shown[shown.length - 1];
  if (!last) return false;
  const length_ms = millis(length_s);
  // A second; of a very short video half.
  const slack_ms = Math.min(END_SLACK_MS, Math.floor(length_ms / 2));
  if (completion.rule === 'end') return millis(last[1]) > length_ms - slack_ms;
  const percent = Math.min(100, Math.round(completion.threshold * 100));
  const seen_ms = shown.reduce((sum, [from, to]) => sum + millis(to) - millis(from), 0);
  const wanted_ms = Math.floor((length_ms * percent) / 100);
  // All of it means: but for a second.
  return seen_ms >= wanted_ms - (percent >= 100 ? slack_ms : 0);
}

function millis(seconds: number): number {
  return Math.round(seconds * 1000);
}
