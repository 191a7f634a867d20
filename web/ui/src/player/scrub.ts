/**
 * How a drag on the seek bar moves. Near the bar the place is where the pointer is; further up or down it moves with the
 * pointer but slower, so that a second of a long lecture can be met. Pure.
 */
export interface Drag {
  /** Where it stood before this move. */
  seconds: number;
  /** Where the pointer is along the bar, 0 to 1. */
  share: number;
  /** How far it came along the bar with this move, as a share. */
  moved: number;
  /** How far it is above or below the bar. */
  away_px: number;
}

const NEAR_PX = 32;
const FAR_PX = 72;

export function dragged({ seconds, share, moved, away_px }: Drag, duration: number): number {
  if (away_px < NEAR_PX) return share * duration;
  const speed = away_px < FAR_PX ? 1 / 4 : 1 / 16;
  return Math.min(duration, Math.max(0, seconds + moved * duration * speed));
}
