// All the words, for pages that are not a learner's first. The same `m`, wider.
import { m as first } from '.';
import { more } from './en.more';

export const m = { ...first, ...more };
