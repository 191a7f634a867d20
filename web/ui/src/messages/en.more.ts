// English, for the pages that a learner seldom opens.
import { captioning, describing, speech } from './en/captioning';
import { definitions } from './en/definitions';
import { account, setup, trust } from './en/door';
import { edit } from './en/edit';
import { erase, keeping } from './en/erasing';
import { evidence } from './en/evidence';
import { people } from './en/people';
import { record, statements } from './en/records';
import { files, sources, taking } from './en/sources';
import { audit, chips, credentials, system, upstreams } from './en/system';
import { who } from './en/who';

export const more = {
  who,
  edit,
  captioning,
  describing,
  speech,
  chips,
  erase,
  keeping,
  evidence,
  definitions,
  people,
  statements,
  record,
  system,
  upstreams,
  sources,
  files,
  taking,
  audit,
  credentials,
  setup,
  account,
  trust,
};
