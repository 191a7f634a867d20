/** What every test of the player does with a page that shows it. */

/** Until the player shows its first picture and its tracking has begun. */
export async function ready(page) {
  await page.until(
    () => document.querySelector('section[data-state="ready"] video')?.readyState >= 3,
    'the player to be ready',
    30_000,
  );
}

/** Clicks play as a person does. */
export async function play(page) {
  await page.click('button[aria-label="Play"]');
  await page.until(() => !document.querySelector('video').paused, 'play', 10_000);
}

/**
 * Waits until the picture stands at `until` or later, then seeks in the same task, so that nobody else reads the clock
 * between. Answers where it stood.
 */
export function watchTo(page, until, seekTo = null) {
  return page.evaluate(
    (at, to) =>
      new Promise((resolve, reject) => {
        const video = document.querySelector('video');
        const late = setTimeout(
          () => reject(new Error(`stood at ${video.currentTime}, not ${at}`)),
          60_000,
        );
        const look = () => {
          if (video.seeking || video.currentTime < at) return requestAnimationFrame(look);
          clearTimeout(late);
          const stood = video.currentTime;
          if (to !== null) video.currentTime = to;
          resolve(stood);
        };
        look();
      }),
    until,
    seekTo,
  );
}

/** The same where no frames are painted: in a hidden tab. */
export function watchHiddenTo(page, until) {
  return page.until(
    `document.querySelector('video').currentTime >= ${until}`,
    `${until} s`,
    60_000,
  );
}

const V = 'https://w3id.org/xapi/video/extensions/';
const OURS = 'https://lectern.invalid/xapi/extensions/';

/** The short form of a statement, as `tracking/golden` has it. */
export function short(statement) {
  const extensions = statement.result?.extensions ?? {};
  return {
    verb: statement.verb.id.split('/').at(-1),
    time: extensions[`${V}time`],
    from: extensions[`${V}time-from`],
    to: extensions[`${V}time-to`],
    played: extensions[`${V}played-segments`],
    hidden: extensions[`${OURS}hidden-segments`],
    muted: extensions[`${OURS}muted-segments`],
    session: statement.context?.extensions?.[`${V}session-id`],
    timestamp: statement.timestamp,
  };
}

export function segments(text) {
  return (text ?? '')
    .split('[,]')
    .filter(Boolean)
    .map((part) => part.split('[.]').map(Number));
}

/** Whether two lists of segments are the same within `within` seconds. */
export function near(actual, expected, within = 0.25) {
  return (
    actual.length === expected.length &&
    actual.every((segment, n) =>
      segment.every((at, edge) => Math.abs(at - expected[n][edge]) <= within),
    )
  );
}
