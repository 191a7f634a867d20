// The words on the pages. One module for each language, all of the same type, so that a missing word is
// a compile error; English is the only one today. Components never hold text of their own.
import { en } from './en';

export type Messages = typeof en;

export const m: Messages = en;

/** For `Intl`: the reader's own variant of the language the page is in (en-GB, en-IN…). */
export const locale: string = pickLocale('en');

function pickLocale(language: string): string {
  if (typeof navigator === 'undefined') return language;
  const own = navigator.languages.find((tag) => tag.split('-')[0] === language);
  return own ?? language;
}
