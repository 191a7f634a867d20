// The languages offered in a list, named in the page's language. Any other tag that a video already has
// is added, so that no list ever loses it.
import { locale } from '../messages';
import { languageName } from './format';

const TAGS =
  'af am ar bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu ha he hi hr hu hy id ig is it ja ka kk km kn ko lo lt lv mk ml mn mr ms my ne nl no pa pl ps pt pt-BR ro ru rw si sk sl so sq sr sv sw ta te th tl tr uk ur uz vi xh yo zh-Hans zh-Hant zu'.split(
    ' ',
  );

export function languageOptions(
  none: string,
  own?: string | null,
): { value: string; text: string }[] {
  const tags = own && !TAGS.includes(own) ? [...TAGS, own] : TAGS;
  const named = tags.map((value) => ({ value, text: languageName(value) }));
  named.sort((a, b) => a.text.localeCompare(b.text, locale));
  return [{ value: '', text: none }, ...named];
}
