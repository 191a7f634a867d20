/** The texts of one viewing when they change under way. Pure. */
import type { PlayedText, TimedText } from '../lib/api-types';

/** What the box has now; null where that is what we know. A text that is as it was keeps its own address. */
export function renewed(
  known: readonly PlayedText[],
  now: readonly TimedText[],
): PlayedText[] | null {
  const texts = now.map(
    (one) =>
      known.find(
        ({ language, revision }) => language === one.language && revision === one.revision,
      ) ?? {
        ...one,
        url: `${one.url}?revision=${one.revision}`,
      },
  );
  const isSame = texts.length === known.length && texts.every((one, n) => one === known[n]);
  return isSame ? null : texts;
}
