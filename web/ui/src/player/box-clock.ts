/**
 * The box's time, told by the device: `play`'s `now` plus what a monotonic clock has counted since.
 * The device's own clock may be wrong or be set during a lecture; it is only reported, and asked how long we slept.
 */
export interface BoxClock {
  /** Milliseconds since 1970 by the box's clock. */
  now(): number;
  /** The device's own clock and how far it is ahead of the box, for the `device-clock` extension. */
  device(): { time: string; 'offset-ms': number };
}

/** Both clocks of the device, read at one moment. */
export interface Reading {
  monotonic_ms: number;
  wall_ms: number;
}

/** Clocks are slewed and read a moment apart; a device that slept less has lost nothing that matters. */
const SLEEP_MS = 2000;

/**
 * `boxNow` as `play` answered it. To be made when the answer arrives: our time is then late by the answer's way, never
 * early.
 */
export function boxClock(
  boxNow: string,
  monotonic: () => number = () => performance.now(),
  wall: () => number = () => Date.now(),
): BoxClock {
  const read = (): Reading => ({ monotonic_ms: monotonic(), wall_ms: wall() });
  let last = read();
  const parsed = Date.parse(boxNow);
  let time = Number.isNaN(parsed) ? last.wall_ms : parsed;
  const now = (): number => {
    const reading = read();
    time += reading.monotonic_ms - last.monotonic_ms + slept(last, reading);
    last = reading;
    return Math.round(time);
  };
  return {
    now,
    device() {
      const own = wall();
      return { time: new Date(own).toISOString(), 'offset-ms': own - now() };
    },
  };
}

/**
 * What the monotonic clock missed between two readings: most systems stop it while the device sleeps, and the other
 * clock goes on. That clock put forward by hand looks the same and is believed; put back, or late, it is not.
 */
export function slept(before: Reading, after: Reading): number {
  const missed = after.wall_ms - before.wall_ms - (after.monotonic_ms - before.monotonic_ms);
  return missed > SLEEP_MS ? missed : 0;
}
