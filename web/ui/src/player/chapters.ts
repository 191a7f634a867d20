/** Chapters as the player uses them: which one is playing, where the next one begins. Pure. */
import type { Chapter } from '../lib/api-types';

/** Going back within so many seconds of a chapter's beginning means the one before it. */
const JUST_BEGUN_S = 3;

/** The chapter at that time; null before the first one. */
export function chapterAt(chapters: readonly Chapter[], seconds: number): Chapter | null {
  return chapters.filter(({ start_ms }) => start_ms <= seconds * 1000 + 1).at(-1) ?? null;
}

/** Where the next chapter (1) begins, or this one or the one before it (-1); null where there is none. */
export function chapterStep(
  chapters: readonly Chapter[],
  seconds: number,
  step: 1 | -1,
): Chapter | null {
  if (step === 1) return chapters.find(({ start_ms }) => start_ms > seconds * 1000 + 1) ?? null;
  const before = (seconds - JUST_BEGUN_S) * 1000;
  return chapters.filter(({ start_ms }) => start_ms < before).at(-1) ?? chapters[0] ?? null;
}
