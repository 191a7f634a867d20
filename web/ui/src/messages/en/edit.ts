// Looking after a video.
import { plural } from '../plural';

const renditions = plural({ one: '# rendition', other: '# renditions' });

const visibilities = {
  private: { name: 'Only me', text: 'You alone, until you share it.' },
  named: { name: 'Named people', text: 'The people you choose, after they sign in.' },
  members: { name: 'Everyone signed in', text: 'Every person with an account on this box.' },
  open: {
    name: 'Open on the network',
    text: 'Whoever reaches this box, without signing in. Their device keeps a random number, so that progress counts without a name.',
  },
};

export const edit = {
  visibilities,
  details: 'Details',
  name: 'Title',
  nameNeeded: 'A video needs a title.',
  language: 'Language spoken',
  languageHint: 'Captions, screen readers and search work better when it is right.',
  watch: 'Watch',
  who: 'Who watched',

  accessTitle: 'Who may see it',
  accessHint:
    'Taking access away changes the video’s secret address at once: a copied link stops working.',
  people: 'People',
  addPerson: 'Find people by name',
  noPerson: 'Nobody by that name.',
  noPeople: 'Nobody yet. Until you add someone, only you see it.',
  add: (name: string) => `Add ${name}`,
  removePerson: (name: string) => `Remove ${name}`,
  peopleRefused: 'Only an administrator can look people up here.',

  versionsTitle: 'File and versions',
  replace: 'Replace the file',
  replaceText:
    'A new file becomes a new version. Those who have not begun get the new one. Those who began keep the version they know, so that their place and their record stay right; the old numbers stay with the old version.',
  replaceChoose: 'Choose a new file',
  versionOf: (n: number) => `Version ${n}`,
  newest: 'newest',
  state: {
    queued: 'waiting',
    processing: 'being prepared',
    playable: 'playable, still growing',
    ready: 'ready',
    failed: 'failed',
  },
  added: (when: string) => `added ${when}`,
  left: (time: string) => `${time} left`,
  progressOf: (n: number) => `Preparing version ${n}`,
  failedText: 'Nothing that was there before is lost.',
  cancel: 'Stop preparing',
  cancelTitle: 'Stop preparing this version?',
  cancelText:
    'What has been made so far is thrown away. The uploaded file stays, so you can start it again.',
  goesOn: (when: string) => `It goes on ${when}.`,
  hurry: 'Prepare it now',
  hurried: 'It is being prepared now.',
  retry: 'Try again',
  retrying: 'It is being prepared anew.',
  report: (n: number) => `What was made (${renditions(n)})`,
  reportNone: 'No renditions yet.',
  renditions: 'Renditions',
  rendition: 'Rendition',
  rate: 'Bit rate',
  made: 'Made',
  why: 'Why',
  remuxed: 'kept as it was',
  encoded: 'encoded',
  size: (w: number, h: number) => `${w} × ${h}`,
  audio: 'Sound only',
  audioOf: (name: string) => `Sound: ${name}`,
  source: 'The file',
  picture: (facts: string) => `Picture: ${facts}`,
  sound: (facts: string) => `Sound: ${facts}`,
  frameRate: (rate: string) => `${rate} frames a second`,
  keyFrames: (seconds: string) => `key frames up to ${seconds} s apart`,
  channels: (n: number) => (n === 1 ? 'mono' : n === 2 ? 'stereo' : `${n} channels`),
  kilohertz: (n: string) => `${n} kHz`,
  took: (time: string) => `Preparing it took ${time}.`,

  chaptersTitle: 'Chapters',
  chaptersHint:
    'One chapter a line: the time at which it begins, a space, its name. Learners find them on the seek bar and in a list.',
  chaptersExample: '0:00 Introduction\n4:30 The second law\n1:02:15 Questions',
  chaptersText: 'Chapters, one a line',
  chaptersFromFile: 'These came with the file. Change them as you like.',
  chaptersSave: 'Save the chapters',
  chaptersSaved: 'The chapters are saved.',
  chaptersRemoved: 'The chapters are removed.',
  chaptersLine: (line: number) =>
    `Line ${line} does not begin with a time and a name, such as “4:30 The second law”.`,
  captionsTitle: 'Captions',
  captionsHint:
    'WebVTT (.vtt), SubRip (.srt) or TTML (.ttml). The transcript beside the video comes from them. Uploading a language again replaces it.',
  captionsNone: 'No captions yet. Many people need them, and the transcript comes from them.',
  captionsLanguage: 'Language of the captions',
  captionsFile: 'Caption file',
  captionsAdd: 'Upload captions',
  captionsSaved: (language: string) => `Captions in ${language} are saved.`,
  captionsRemoved: (language: string) => `Captions in ${language} are removed.`,
  captionsRemove: (language: string) => `Remove captions in ${language}`,
  captionsReplace: (language: string) => `Replace captions in ${language}`,
  captionsDownload: (language: string) => `Download captions in ${language}`,
  captionsNeedLanguage: 'Choose the language first.',
  download: 'Download',
  replaceShort: 'Replace',
  revision: (n: string) => `revision ${n}`,

  deleteTitle: 'Delete this video',
  deleteText:
    'The video, all its versions and captions leave this box. The learning records that speak of it stay, as records do.',
  deleteButton: 'Delete video…',
  deleteConfirm: (title: string) => `Delete “${title}”?`,
  deleteConfirmText:
    'This cannot be undone. Links to it stop working; the records of those who watched stay.',
  deleteDo: 'Delete for good',
  deleted: 'The video is deleted.',
};
