/**
 * The box's time, told by the device: `play`'s `now` plus what a monotonic clock has counted since.
 * The device's own clock may be wrong or be set during a lecture; it is only reported, never used.
 */
export interface BoxClock {
  /** Milliseconds since 1970 by the box's clock. */
  now(): number;
  /** The device's own clock and how far it is ahead of the box, for the `device-clock` extension. */
  device(): { time: string; 'offset-ms': number };
}

/**
 * `boxNow` as `play` answered it, `answeredAt` the monotonic reading when the answer had arrived.
 * Reading it at arrival makes our time late by the answer's way, never early.
 */
export function boxClock(
  boxNow: string,
  answeredAt: number,
  monotonic: () => number = () => performance.now(),
  wall: () => number = () => Date.now(),
): BoxClock {
  const parsed = Date.parse(boxNow);
  const start = Number.isNaN(parsed) ? wall() : parsed;
  const now = (): number => Math.round(start + monotonic() - answeredAt);
  return {
    now,
    device() {
      const own = wall();
      return { time: new Date(own).toISOString(), 'offset-ms': own - now() };
    },
  };
}
