// The library and the page where one watches.
import { plural } from '../plural';

const renditions = plural({ one: '# rendition', other: '# renditions' });
const videos = plural({ one: '# video', other: '# videos' });

export const library = {
  search: 'Search titles',
  searchLabel: 'Search the library',
  upload: 'Upload video',
  list: 'Videos',
  preparing: 'Being prepared',
  found: (n: number, query: string) => `${videos(n)} found for “${query}”`,
  showAll: (n: number) => `Show all ${n}`,
  // A video's way to the screen
  queued: 'waiting to be prepared',
  processing: 'not playable yet',
  playable: 'playable now',
  failed: 'could not be prepared',
  renditionsOf: (done: number, total: number) => `${done} of ${renditions(total)}`,
  left: (time: string) => `${time} left`,
  progress: (title: string) => `Preparing ${title}`,
  watch: 'Watch',
  watchTitle: (title: string) => `Watch ${title}`,
  details: 'Details',
  detailsTitle: (title: string) => `Details of ${title}`,
  // What the reader has seen of it
  notStarted: 'Not started',
  justBegun: 'Just begun',
  watched: 'Watched',
  watchedPart: (percent: string) => `${percent} watched`,
  watchedWhere: (percent: string, stretches: string) => `${percent} watched: ${stretches}`,
  lasts: (time: string) => `Length ${time}`,
  shortVersion: (n: number) => `v${n}`,
  version: (n: number) => `Version ${n}`,
  captionsToReview: 'captions to review',
  onlyYou: 'only you',
  namedPeople: 'named people',
  onNetwork: 'open on the network',
  emptyTitle: 'No lectures yet',
  emptyTeacher:
    'Add the sample lecture to see in two minutes what Lectern does, or upload a video of your own.',
  emptyLearner: 'When a lecture is shared with you, it stands here. Nothing to do for now.',
  emptyVisitor: 'Nothing here is open to everyone on this network. Sign in to see more.',
  sample: 'Add the sample lecture',
  sampleAdded: 'The sample lecture is being prepared. It plays within seconds.',
  noMatch: (query: string) => `No title matches “${query}”.`,
  noMatchHint: 'Try fewer or other words.',
  clear: 'Show all videos',
};

export const watch = {
  edit: 'Edit',
  who: 'Who watched',
  tabs: 'Beside the video',
  transcript: 'Transcript',
  noTranscript: 'This video has no captions yet, so there is no transcript.',
  addCaptions: 'Add captions',
  version: (n: number) => `version ${n}`,
  newer: (mine: number, newest: number) =>
    `There is a version ${newest}. You keep version ${mine}, which you began, so that your place stays right.`,
  older: (shown: number, newest: number) =>
    `You are looking at version ${shown}; the newest is version ${newest}.`,
  openNewest: 'Open the newest',
  openMine: 'Back to the version you began',
  hint: 'Parts that you have watched are filled in the bar.',
  notYetTitle: 'Not playable yet',
  queued:
    'This video waits for its turn. It starts by itself; the page shows it as soon as it plays.',
  processing: 'This video is being prepared. The page shows it as soon as it plays.',
  failedTitle: 'This video cannot be played',
  failed: 'It could not be prepared. The person who uploaded it has been told why.',
  goneTitle: 'This video is not here',
  gone: 'It may have been removed, or it is not shared with you. Ask the person who sent you the link.',
};
