// Record stores that statements are pulled from, and statements as files.
import { plural } from '../plural';

const statements = plural({ one: '# statement', other: '# statements' });
const linesLeft = plural({ one: '# line was not taken', other: '# lines were not taken' });

export const sources = {
  lead: 'Other record stores (LRS) whose statements are read into this box: to move from one, or to follow one. States and profiles are not read: xAPI has no way to list them.',
  add: 'Add a source',
  emptyTitle: 'No source yet',
  emptyText:
    'If records lie in another LRS, add it here. They keep their ids; what is here already is not stored twice.',
  follow: 'Go on with what is new there',
  followHint: 'Otherwise it is read to its end, and that was that.',
  keyHint: 'Of a credential that may read all statements there.',
  urlStays: 'Reading goes on where it was. For another record store add another source.',
  since: 'Read statements from',
  sinceHint: 'Empty: everything from the beginning.',
  added: (name: string) => `${name} is added; reading begins.`,
  states: {
    reading: 'being read',
    waiting: 'not getting through',
    following: 'up to date',
    done: 'read to its end',
    paused: 'paused',
  },
  stored: (n: number) => `${statements(n)} stored`,
  known: (n: number) => `${statements(n)} here already`,
  readTo: (when: string) => `read up to what it stored ${when}`,
  perSecond: (n: string) => `${n} a second`,
  next: (when: string) => `asked again ${when}`,
  finished: (when: string) => `finished ${when}`,
  testOk: (versions: string) =>
    versions
      ? `It answers, and the key may read. It speaks xAPI ${versions}.`
      : 'It answers, and the key may read.',
  refused: (n: number) => `${statements(n)} not taken`,
  refusedShow: 'Show',
  refusedTitle: (name: string) => `Not taken from ${name}`,
  refusedLead:
    'These statements were left where they are: this box does not take what is no valid statement, or another one under an id that it has. All others were taken. The last 1,000 are listed.',
  refusedStatement: 'The statement',
  refusedNone: 'All were taken.',
  noId: 'without an id',
  removeTitle: (name: string) => `Remove ${name}?`,
  removeText: 'Nothing more is read from there. What came from it stays here.',
};

export const files = {
  open: 'As files',
  title: 'Statements as files',
  lead: 'All statements, or those of a time. That you take them is noted in the audit list; keep the files as safe as the box.',
  lines: 'One statement a line (NDJSON)',
  linesHint:
    'For another record store, or any program. Attachments are in it. Another Lectern reads it under “System → Sources → From a file”.',
  since: 'Stored after',
  until: 'Stored until',
  emptyHint: 'Empty: no bound.',
  download: 'Download',
  days: 'A day as a table (Parquet)',
  daysHint:
    'For Spark, Trino, ClickHouse, DuckDB, DataFusion. Days are counted in UTC. “lecternd statements parquet FOLDER” writes all of them.',
  none: 'No statement is stored yet.',
  day: (day: string) => `Statements of ${day}`,
};

export const taking = {
  open: 'From a file…',
  title: 'Statements from a file',
  lead: 'One statement a line (NDJSON), as this box and other record stores write them out; attachments, if any, on lines before. Statements that are here already are not stored twice, so a file can be given again.',
  version: 'xAPI version of statements that do not say theirs',
  choose: 'Choose a file…',
  sending: (name: string, percent: string) => `${name}: ${percent}`,
  stop: 'Stop',
  stopped: 'Stopped. What had come stays here; give the whole file again to go on.',
  done: (stored: number, known: number) =>
    `${statements(stored)} stored, ${statements(known)} here already.`,
  empty: 'There is no statement in this file.',
  refused: (n: number, listed: number) =>
    n > listed ? `${linesLeft(n)}; the first ${listed}:` : `${linesLeft(n)}:`,
};
