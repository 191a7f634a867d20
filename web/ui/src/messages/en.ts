// English, what everyone's first page needs; the rest is in `more.ts`, loaded with the pages that say it.
import { signin } from './en/door';
import { common, errors, missing, nav, titles } from './en/common';
import { library, watch } from './en/library';
import { upload } from './en/upload';

export const en = { titles, common, errors, missing, nav, library, watch, upload, signin };
