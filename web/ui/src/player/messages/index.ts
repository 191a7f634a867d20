/** The player's words in the reader's language. English is the one there is; another is one more file of this shape. */
import { en } from './en';

export type PlayerMessages = typeof en;

export const t: PlayerMessages = en;
