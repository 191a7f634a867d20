// Writing captions and descriptions, and having a machine draft captions.
import { plural } from '../plural';

const captions = plural({ one: '# caption', other: '# captions' });
const videos = plural({ one: '# video', other: '# videos' });

export const captioning = {
  title: (language: string) => `Captions in ${language}`,
  forVideo: 'Edit video',
  list: 'Captions, in order of time',
  count: captions,
  empty:
    'There are no captions in this language yet. Play the video and add the first one where somebody speaks.',
  addHere: 'Add a caption here',
  from: (n: number) => `Caption ${n}, begins`,
  to: (n: number) => `Caption ${n}, ends`,
  text: (n: number) => `Caption ${n}`,
  badTime: 'A time looks like 1:02.345.',

  picture: 'The video, with the captions as they are now',
  noPicture: 'The picture cannot be shown. The captions can be worked on without it.',
  tools: 'Tools',
  play: 'Play',
  pause: 'Pause',
  playLine: 'Play this caption',
  split: 'Split at the cursor',
  join: 'Join with the next',
  remove: 'Remove',
  removed: 'The caption is removed.',
  begin: 'Begins now',
  end: 'Ends now',
  undo: 'Undo',
  redo: 'Redo',

  shiftTitle: 'Shift',
  shiftBy: 'Seconds',
  shiftAll: 'All captions, not only from this one on',
  earlier: 'Earlier',
  later: 'Later',
  shifted: (n: number, seconds: string) => `${captions(n)} shifted by ${seconds} seconds.`,
  badSeconds: 'Write seconds, such as 0.5.',

  keysTitle: 'Keys',
  keys: [
    ['Ctrl+Enter', 'Split at the cursor'],
    ['Ctrl+Shift+Enter', 'Join with the next'],
    ['Alt+↑, Alt+↓', 'The caption before, the next'],
    ['Ctrl+Space', 'Play or pause'],
    ['Ctrl+J', 'Play this caption'],
    ['Ctrl+, and Ctrl+.', 'It begins now, it ends now'],
    ['Ctrl+Z, Ctrl+Shift+Z', 'Undo, redo'],
  ] as [string, string][],

  fault: {
    order: 'It ends before it begins.',
    empty: 'It has no words.',
    overlap: 'It begins before the one above has ended.',
    long: 'Longer than two lines of 42 characters.',
    fast: 'Too fast to read for many.',
  },
  unsure: (percent: string) => `${percent} sure`,
  unsureHint: 'How sure the speech recognition was. Low ones are worth a second listen.',

  machine: (name: string) =>
    `${name} wrote these. Learners see them marked as automatic until somebody has read them over.`,
  draftBy: (name: string, when: string) => `Going on with what ${name} saved ${when}.`,
  draftMachine: (when: string) =>
    `Speech recognition made this draft ${when}. Learners have the published captions until you approve it.`,
  saving: 'Saving the draft…',
  saved: (when: string) => `Draft saved ${when}`,
  dirty: 'Not saved yet',
  clean: 'As published',
  notSaved: 'The draft is not saved.',
  reload: 'Load the page anew',
  approve: 'Approve and publish',
  approved: 'Published. Who is watching now has them already.',
  mend: (n: number) =>
    `${captions(n)} cannot be published: without words, or with an end before the beginning.`,
  discard: 'Throw the draft away',
  discardTitle: 'Throw this draft away?',
  discardText: 'Learners keep what is published. What was changed since is gone.',
  discarded: 'The draft is gone.',

  versions: 'Earlier texts',
  versionsHint: 'Loading one changes the draft alone. It can be undone.',
  version: (n: string) => `Text ${n}`,
  versionBy: (name: string, when: string) => `${name}, ${when}`,
  versionFile: (when: string) => `from the video file, ${when}`,
  versionMachine: (name: string, when: string) => `${name}, ${when}`,
  load: 'Load',
  loadOf: (n: string) => `Load text ${n}`,
  loaded: (n: string) => `Text ${n} is loaded.`,

  write: 'Write captions',
  edit: 'Edit',
  editOf: (language: string) => `Edit captions in ${language}`,
  review: 'Read over',
  reviewOf: (language: string) => `Read over captions in ${language}`,
  automatic: 'automatic, nobody has read them over',

  speechTitle: 'From the sound',
  speechText:
    'The box listens and writes a draft. It is marked as automatic until somebody has read it over. What people wrote stays as it is.',
  speechNoModel: 'No speech model is installed on this box.',
  speechInstall: 'Install one',
  speechAsk: 'Draft captions from the sound',
  speechAsked: 'The box listens when it has nothing else to prepare.',
  speechWaiting: 'Waiting for its turn.',
  speechRunning: 'Listening…',
  speechProgress: 'How much was heard',
  speechStop: 'Stop listening',
  speechStopped: 'Stopped.',
  speechFailed: 'No draft was made.',
};

/** The words of the editor of texts in time. */
export type Writing = typeof captioning;

const descriptions = plural({ one: '# description', other: '# descriptions' });

export const describing: Writing = {
  ...captioning,
  title: (language: string) => `Descriptions in ${language}`,
  list: 'Descriptions, in order of time',
  count: descriptions,
  empty:
    'There are no descriptions in this language yet. Play the video and add one where something is shown that nobody says. Put it where nobody speaks; if it takes longer to read, the video waits.',
  addHere: 'Add a description here',
  from: (n: number) => `Description ${n}, begins`,
  to: (n: number) => `Description ${n}, ends`,
  text: (n: number) => `Description ${n}`,
  picture: 'The video, with the descriptions as they are now',
  noPicture: 'The picture cannot be shown. The descriptions can be worked on without it.',
  playLine: 'Play this description',
  removed: 'The description is removed.',
  shiftAll: 'All descriptions, not only from this one on',
  shifted: (n: number, seconds: string) => `${descriptions(n)} shifted by ${seconds} seconds.`,
  keys: captioning.keys.map(([key, what]) => [key, what.replace('caption', 'description')]),
  mend: (n: number) =>
    `${descriptions(n)} cannot be published: without words, or with an end before the beginning.`,
  write: 'Write descriptions',
  editOf: (language: string) => `Edit descriptions in ${language}`,
};

export const speech = {
  text: 'A model lets the box draft captions from the sound of a video, without the internet. The drafts are marked as automatic until somebody has read them over.',
  which:
    'Models are files of whisper.cpp, called “ggml-….bin”. “base” has 150 MB and takes about a quarter of a video’s length on a small box; “small” hears better and takes several times as long. Names ending in “.en” know English alone.',
  models: 'Models',
  none: 'No model is installed. Captions can be uploaded and written by hand.',
  install: 'Install a model from a file',
  installed: (name: string) => `${name} is installed and used from now on.`,
  size: (size: string) => `Whisper ${size}`,
  many: 'many languages',
  english: 'English alone',
  added: (when: string) => `installed ${when}`,
  hash: 'SHA-256 of the file',
  hashHint: 'Compare it with what the model’s publisher says.',
  inUse: 'in use',
  use: 'Use this one',
  useOf: (name: string) => `Use ${name}`,
  used: (name: string) => `${name} is used from now on.`,
  remove: 'Remove',
  removeOf: (name: string) => `Remove ${name}`,
  removeTitle: (name: string) => `Remove ${name}?`,
  removeText:
    'Captions that were made with it stay. To use it again, the file must be brought again.',
  removed: 'The model is removed.',
  automatic: 'Draft captions for new videos that have none',
  automaticSaved: 'Saved.',
  waiting: (n: number) => `${videos(n)} waiting or being listened to.`,
  uploads: 'Models on their way',
};
