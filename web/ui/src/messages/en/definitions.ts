// What the numbers mean, exactly; `docs/definitions.md` says the same at length. None of them means learned.

export const definitions = {
  lead: 'Lectern counts what was played, and says so exactly. None of these numbers means that someone learned, or even paid attention.',
  items: [
    {
      id: 'started',
      term: 'Started',
      text: 'People from whom something of this version was played, however short, visible or not. Opening the page without playing does not count.',
    },
    {
      id: 'watched',
      term: 'Watched',
      text: 'The share of different seconds of the video that were played while the tab was visible. A second that is played twice counts once; a second that was skipped counts nothing; playing at double speed counts like any other.',
    },
    {
      id: 'completed',
      term: 'Completed',
      text: 'One rule for the whole box (System, Settings): either a share of the different seconds was watched while visible (90 % unless it was changed), or the last second was played while visible. It is applied when someone looks, to all that was ever recorded.',
    },
    {
      id: 'time',
      term: 'Time on video',
      text: 'The length of all that was played while visible, replays included, in the video’s own time. The median is the middle one of all who started: half have more, half have less.',
    },
    {
      id: 'views',
      term: 'Views of a second',
      text: 'How many passes covered at least half of that second, playing and visible. A replay counts again, also by the same person.',
    },
    {
      id: 'viewers',
      term: 'People of a second',
      text: 'How many different people are among those views.',
    },
    {
      id: 'again',
      term: 'Watched again',
      text: 'The views of a second beyond the first of each person.',
    },
    {
      id: 'hidden',
      term: 'In a hidden tab',
      text: 'Passes while the tab was in the background or the screen was off. They count as started and for nothing else.',
    },
    {
      id: 'left',
      term: 'Left',
      text: 'The fall in the number of people from one place to a minute later (shorter in short videos). The chart marks the steepest fall; the last part of a video, where everyone leaves, is not looked at.',
    },
    {
      id: 'version',
      term: 'Versions',
      text: 'A replaced file is a new version. Each person stays with the version they began, and each version has its own numbers.',
    },
    {
      id: 'implausible',
      term: 'Left out',
      text: 'A stretch that is longer than the time that passed while it was said to play (times the speed, plus two seconds) is kept in the record, marked as implausible, and not counted.',
    },
    {
      id: 'visitors',
      term: 'Visitors',
      text: 'Where a video is open on the network, each device counts as one person under a random number that it keeps.',
    },
  ],
  ribbonTitle: 'How to read a ribbon',
  ribbon:
    'The ribbon is the video from beginning to end. Filled is watched, warm and striped is watched again, a gap was skipped.',
  ribbonExample:
    'An example: 62 % watched, 0:00 to 4:00 and 6:00 to 8:12, from 2:30 to 3:10 again.',
};
