// The page of the evidence: the chain of records and its signed heads.
import { plural } from '../plural';

const records = plural({ one: '# record', other: '# records' });
const heads = plural({ one: '# signed head', other: '# signed heads' });

export const evidence = {
  lead: 'Every record names the one before it, and once a day the box signs the end of that chain. So nobody can change, remove or add a record unseen.',
  chain: 'The chain',
  records,
  unsigned: (n: number) =>
    n === 0
      ? 'All of them are covered by a signed head.'
      : `${records(n)} came since the last signed head.`,
  empty: 'Nothing has been recorded yet.',
  last: 'Last signed head',
  none: 'No head has been signed yet. The box signs one a day once there are records.',
  number: 'Number',
  covers: 'Covers records up to',
  signed: 'Signed',
  ofTheDay: 'the day’s head',
  onRequest: 'on request',
  hash: 'Hash of the last head (SHA-256)',
  hashHint:
    'Keep it outside the box, on paper or in another system: with it, anyone can show later that nothing below was made anew.',
  sign: 'Sign now',
  signing: 'Signing…',
  signedNow: (n: number) => `Head ${n} is signed.`,
  key: 'The box’s key',
  fingerprint: 'Fingerprint of the key (SHA-256)',
  fingerprintHint:
    'Write it down once, outside the box. Evidence that is signed with another key does not come from this box.',
  keyMissing:
    'The box’s evidence key is missing, so nothing is signed. Put keys/evidence.key back from a backup and restart.',
  verification: 'Verification',
  verify: 'Verify now',
  verifying: (done: string, total: string) => `${done} of ${total} records are verified`,
  progress: 'Verification',
  never: 'The chain has not been verified on this box yet.',
  whole: 'The chain is whole',
  broken: 'The chain does not hold',
  found: (entries: number, signed: number) =>
    `${records(entries)} and ${heads(signed)} were verified.`,
  foundUntil: (entries: number, signed: number) =>
    `Up to there, ${records(entries)} and ${heads(signed)} were looked at.`,
  erased: plural({
    one: 'The content of # record is erased; its place in the chain holds.',
    other: 'The content of # records is erased; their places in the chain hold.',
  }),
  brokenHint: 'Keep this box as it is, and compare it with a backup or an earlier export.',
  away: 'Take it away',
  awayText:
    'One file with the chain and all signed heads, which “lecternd verify FILE” checks on any machine, without this box. It holds ids, times and hashes, and no statement.',
  download: 'Download the evidence',
  downloadBodies: 'Download it with all statements',
  bodiesHint:
    'With the statements, the file shows what each learner did. That you took it is noted in the audit list.',
  auditorOnly: 'Auditors can download the evidence here.',
};
