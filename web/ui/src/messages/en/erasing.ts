// Erasing people, and how long statements are kept.
import { plural } from '../plural';

const statements = plural({ one: '# statement', other: '# statements' });

export const erase = {
  title: (name: string) => `Erase ${name}`,
  lead: 'For whoever asks for it: everything that this box knows about somebody goes. To close an account and keep the records, block or remove the person instead.',
  there: 'What there is',
  statements: 'Statements',
  between: 'Stored',
  documents: 'Documents',
  attachments: 'Attachments',
  identifiers: 'Known as',
  kept: (address: string) =>
    `Somebody else here has the address ${address}, too: what statements say under it stays.`,
  number: 'Erasure',
  upstreams: 'Ask there, too',
  upstreamsText:
    'These record stores have received statements about this person. This box cannot take them back; ask those who run them.',
  noUpstreams: 'No other record store has received any of it from this box.',
  received: (n: number) => `about ${statements(n)}`,
  forGood: 'Erase for good',
  what: [
    'The account with name, mail and password goes at once, and they are signed out everywhere.',
    'The content of every statement that names them goes, also where somebody else made it; charts and counts are as if they had never watched.',
    'The chain of records stays valid: each place keeps an id, a time and a hash that say nothing.',
    'Nothing brings it back but a backup that was made before.',
  ],
  confirm: 'Sign-in name',
  confirmHint: (name: string) => `Type ${name} to confirm.`,
  do: 'Erase for good',
  running: 'The account is gone, the rest is being erased',
  done: 'Everything is erased',
  states: { running: 'running', finished: 'finished' },
  notOverwritten:
    'The disk had no room to overwrite what lay in the free pages of the box’s file; they are overwritten as it is used.',
  backups:
    'Backups that were made before still hold it. Keep them no longer than you need; whoever restores one erases again.',
  back: 'Back to the people',
  link: 'Erase…',
  linkHint: 'Remove keeps what they did without saying who did it. Erase takes that, too.',
};

export const keeping = {
  title: 'How long statements are kept',
  lead: 'For ever, unless you say otherwise here. What is older is erased once a day: its content goes, charts and progress count what is left, and its place in the chain of records stays.',
  all: 'Keep all statements for so many days',
  allHint: 'Counted from when the box stored them. Empty: for ever.',
  closed: 'Keep what people did who are blocked for so many days',
  closedHint: 'What others did stays, also where it names them. Empty: as all others.',
  wrong: 'A whole number of days, at most 36,500.',
  look: 'Show what this would erase',
  would: (n: number, oldest: string) =>
    `${statements(n)} would be erased, the oldest of ${oldest}.`,
  wouldNot: 'Nothing would be erased now.',
  first: 'The first time is tomorrow; until then you can take it back.',
  save: 'Save',
  saved: 'Saved.',
  last: (when: string, n: number) => `Last run ${when}: ${statements(n)} erased.`,
  never: 'It has not run yet.',
  next: (when: string) => `Next run ${when}.`,
  off: 'Nothing is erased by age.',
};
