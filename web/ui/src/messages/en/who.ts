// Who watched: the numbers, the chart and the table; every number's definition stands in definitions.ts.
import { plural } from '../plural';

const people = plural({ one: 'person', other: 'people' });
const persons = plural({ one: '# person', other: '# people' });
const views = plural({ one: '# view', other: '# views' });
const times = plural({ one: 'once', other: '# times' });

export const who = {
  csv: 'Export CSV',
  versionLabel: 'Version',
  version: (n: number) => `version ${n}`,
  versionSince: (n: number, when: string) => `version ${n} (since ${when})`,
  summary: 'Summary',
  started: 'Started',
  startedUnit: (n: number) => people(n),
  watched: (percent: string) => `Watched ≥ ${percent}, tab visible`,
  ofStarted: (percent: string) => `${percent} of those who started`,
  completed: 'Completed (your rule)',
  ruleWatched: (percent: string) => `watched ${percent} or more`,
  ruleEnd: 'reached the end',
  median: 'Median time on video',
  ofLength: (length: string) => `of ${length}`,
  noTime: '–',

  chartTitle: 'Where people are, second by second',
  keyPeople: 'people',
  keyAgain: 'watched again',
  keyHidden: 'tab hidden',
  chartLabel:
    'Chart of how many people watched each second. The sentences below and the table say the same.',
  place: 'Place in the video',
  facts: (viewers: number, seen: number, hidden: number) =>
    [
      persons(viewers),
      seen > viewers ? views(seen) : '',
      hidden > 0 ? `${times(hidden)} in a hidden tab` : '',
    ]
      .filter(Boolean)
      .join(', '),
  at: (clock: string, facts: string) => `${clock}: ${facts}`,
  playFrom: 'Play from there',
  left: (n: number, window: string) => `${persons(n)} left within ${window} of here`,
  cameBack: (n: number, clock: string) => `${persons(n)} came back to ${clock}`,
  cameBackViews: (n: number, clock: string) => `${clock} was watched again most: ${times(n)}`,
  and: (a: string, b: string) => `${a}, and ${b}.`,
  sentence: (a: string) => `${a}.`,
  noDrop: 'There is no place where many left at once.',
  oneMinute: 'one minute',
  seconds: (n: number) => `${n} seconds`,
  peak: (n: number, clock: string) => `Most were there at ${clock}: ${persons(n)}.`,
  table: 'The chart as a table',
  tableFrom: 'From',
  tableViews: 'Views',
  tablePeople: 'People',
  tableHidden: 'In a hidden tab',
  nothingTitle: 'Nobody has watched yet',
  nothing:
    'As soon as someone plays the video, you see here which seconds were watched, and by whom.',

  viewers: 'Viewers',
  learner: 'Learner',
  what: 'What they watched',
  share: 'Watched',
  done: 'Completed',
  time: 'Time',
  last: 'Last seen',
  visitor: 'A visitor’s device',
  visitorHint:
    'Visitors are people who watched without signing in. Their device has a random number and no name.',
  adminOnly:
    'You run this box and see sums, but no person’s record. For that, someone must give you the instructor role.',
  audited: 'Reading these records is noted in the audit list.',
  leftOut: plural({
    one: '# stretch not counted: implausible',
    other: '# stretches not counted: implausible',
  }),
  noViewers: 'Nobody in this version yet.',
};
