/**
 * What the player's parts share: the state of the one video element and everything a learner can do with it.
 * The parts (`Controls`, `SeekBar`, `Transcript`…) show this and call it; tracking is `viewing.ts`, bytes `source.ts`.
 */
import { Problem, post } from '../lib/api';
import type { Chapter, Play, PlayedText, Video } from '../lib/api-types';
import { clock, languageName } from '../lib/format';
import { boxClock, type BoxClock } from './box-clock';
import { CaptionFiles } from './caption-files';
import { chapterStep } from './chapters';
import type { Cue } from './cues';
import { Describing } from './describing.svelte';
import { outbox, settle } from './leftovers';
import { NativeCaptions } from './native-captions';
import type { OutboxStatus } from './outbox';
import { withHeld } from './place';
import { load, RATES, save, type Preferences } from './preferences';
import { parse, print, visible, visibleAgain, type Segment } from './segments';
import type { Progress } from './sensor';
import type { Action } from './shortcuts';
import { renewed } from './texts';
import { attach, type Failure, type Level, type Sound, type Source } from './source';
import { t } from './messages';
import { Viewing } from './viewing';

/** Less than this from the end there is nothing to go on with. */
const RESUME_SLACK_S = 3;
/** No package says its frame rate to the page; a step of this length shows the next frame of most. */
const FRAME_S = 1 / 25;
const CLOCK_MS = 100;
const BUFFERING_SAID_MS = 1500;
/** Sound that is put on again is heard, however far down it was turned before. */
const HEARD_AGAIN = 0.1;

export interface PlayerProgress {
  /** What was shown, in the order of watching merged for the ribbon. */
  segments: Segment[];
  replayed: Segment[];
  watched: number;
  completed: boolean;
  position_s: number;
}

export interface Trouble {
  text: string;
  /** A second try may help. */
  retry: boolean;
  status: number;
}

export class PlayerModel {
  play = $state.raw<Play | null>(null);
  trouble = $state.raw<Trouble | null>(null);
  paused = $state(true);
  ended = $state(false);
  buffering = $state(false);
  time = $state(0);
  buffered = $state.raw<Segment[]>([]);
  rate = $state(1);
  volume = $state(1);
  muted = $state(false);
  fullscreen = $state(false);
  pip = $state(false);
  levels = $state.raw<Level[]>([]);
  /** The chosen rendition; null: automatic. */
  level = $state<number | null>(null);
  lines = $state<number | null>(null);
  sounds = $state.raw<Sound[]>([]);
  /** The sound track that is heard. */
  sound = $state<number | null>(null);
  captions = $state.raw<PlayedText | null>(null);
  cues = $state.raw<Cue[]>([]);
  readonly describing = new Describing(
    (track) => this.cuesOf(track),
    () => this.preferences.descriptionsAs,
  );
  preferences = $state.raw<Preferences>(load());
  progress = $state.raw<PlayerProgress>({
    segments: [],
    replayed: [],
    watched: 0,
    completed: false,
    position_s: 0,
  });
  /** For those who listen; said once, politely. */
  said = $state('');
  /** Where this visit began, while the offer to start over stands. */
  resumedAt = $state<number | null>(null);
  sending = $state.raw<OutboxStatus>({ waiting: 0, failing: false, refused: 0 });
  offline = $state(false);
  readonly canPip = typeof document !== 'undefined' && document.pictureInPictureEnabled;

  private video: HTMLVideoElement | null = null;
  private frame: HTMLElement | null = null;
  private source: Source | null = null;
  private viewing: Viewing | null = null;
  private boxClock: BoxClock | null = null;
  private start_s = 0;
  /** Where a viewing stood that was broken off, until the next one is there. */
  private brokenOff_s: number | null = null;
  /** It played when it was broken off, so the next one plays too. */
  private goesOn = false;
  /** The addresses were renewed and have not played since: a second time is no accident. */
  private renewed = false;
  private nativeCaptions: NativeCaptions | null = null;
  private line: Awaited<ReturnType<typeof outbox>> | null = null;
  private readonly cueFiles = new CaptionFiles();
  private stop = new AbortController();
  private bufferingTimer: ReturnType<typeof setTimeout> | undefined;
  private destroyed = false;

  constructor(
    readonly videoId: string,
    private readonly version: number | undefined,
    private readonly tell: {
      progress?: (progress: PlayerProgress) => void;
      play?: (play: Play) => void;
    },
  ) {}

  get duration(): number {
    return (this.play?.duration_ms ?? 0) / 1000;
  }

  get captionTracks(): PlayedText[] {
    return this.play?.captions ?? [];
  }

  get descriptionTracks(): PlayedText[] {
    return this.play?.descriptions ?? [];
  }

  get chapters(): Chapter[] {
    return this.play?.chapters ?? [];
  }

  /** Asks the box for a viewing and puts it into the element. */
  async open(video: HTMLVideoElement, frame: HTMLElement): Promise<void> {
    this.video = video;
    this.frame = frame;
    this.nativeCaptions = new NativeCaptions(video);
    this.describing.open(video, this.stop.signal);
    this.listen();
    await this.begin();
  }

  destroy(): void {
    this.destroyed = true;
    this.viewing?.close();
    this.viewing = null;
    this.source?.destroy();
    this.stop.abort();
    clearTimeout(this.bufferingTimer);
  }

  // What a learner can do

  toggle(): void {
    const { video } = this;
    if (!video || this.trouble) return;
    if (!video.paused) return video.pause();
    video.play().catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'NotAllowedError')
        this.say(t.errors.blocked);
    });
  }

  seekTo(seconds: number): void {
    const { video } = this;
    if (!video || !this.play) return;
    // Where the clock stands now is where the segment ends: read it before it moves.
    this.viewing?.tick();
    const { seekable } = video;
    const last =
      seekable.length > 0 ? Math.max(seekable.end(seekable.length - 1), 0) : this.duration;
    if (seconds > last + 1 && last < this.duration - 1) this.say(t.status.notPrepared);
    video.currentTime = Math.min(Math.max(0, seconds), Math.min(this.duration, last));
    this.time = video.currentTime;
    this.resumedAt = null;
  }

  skip(seconds: number): void {
    this.seekTo((this.video?.currentTime ?? 0) + seconds);
  }

  step(frames: 1 | -1): void {
    this.video?.pause();
    this.skip(frames * FRAME_S);
    this.say(t.status.frame(clock(this.time)));
  }

  setRate(rate: number): void {
    if (!this.video) return;
    this.viewing?.tick();
    this.video.playbackRate = rate;
    this.keep({ rate });
    this.say(t.status.rate(t.rate.value(String(rate))));
  }

  setVolume(volume: number): void {
    if (!this.video) return;
    this.viewing?.tick();
    const next = Math.min(1, Math.max(0, Math.round(volume * 100) / 100));
    // At nothing it is muted and keeps its volume, for when the sound is put on again.
    if (next > 0) this.video.volume = next;
    this.video.muted = next === 0;
    this.keep({ volume: this.video.volume, muted: next === 0 });
  }

  toggleMute(): void {
    if (!this.video) return;
    this.viewing?.tick();
    const muted = !(this.video.muted || this.video.volume === 0);
    if (!muted) this.video.volume = Math.max(this.video.volume, HEARD_AGAIN);
    this.video.muted = muted;
    this.keep({ volume: this.video.volume, muted });
    this.say(muted ? t.status.muted : t.status.unmuted);
  }

  pickLevel(id: number | null): void {
    this.source?.pick(id);
    this.level = id;
    const lines = this.levels.find((level) => level.id === id)?.lines ?? null;
    this.viewing?.quality(lines ?? 'auto');
    this.say(t.status.quality(lines === null ? t.quality.auto : t.quality.lines(lines)));
  }

  pickSound(id: number): void {
    const sound = this.sounds.find((candidate) => candidate.id === id);
    if (!sound) return;
    this.source?.hear(id);
    this.sound = id;
    this.keep({ sound: { language: sound.language, name: sound.name } });
    this.say(t.sound.on(this.nameOfSound(sound)));
  }

  nameOfSound({ id, name, language }: Sound): string {
    const spoken = language ? languageName(language) : '';
    if (name && spoken) return t.sound.both(name, spoken);
    return name || spoken || t.sound.number(String(id + 1));
  }

  stepChapter(step: 1 | -1): void {
    const to = chapterStep(this.chapters, this.video?.currentTime ?? 0, step);
    if (to) this.goToChapter(to);
  }

  goToChapter(chapter: Chapter): void {
    this.seekTo(chapter.start_ms / 1000);
    this.say(t.chapters.at(chapter.title));
  }

  async pickCaptions(language: string | null): Promise<void> {
    const track = this.captionTracks.find((candidate) => candidate.language === language) ?? null;
    this.captions = track;
    this.setCues([]);
    this.keep({ captions: language });
    this.viewing?.captions(track?.language ?? null);
    this.say(track ? t.captions.on(this.nameOf(track)) : t.captions.offSaid);
    if (!track) return;
    try {
      const cues = await this.cuesOf(track);
      if (this.captions === track) this.setCues(cues);
    } catch {
      this.say(t.captions.failed);
    }
  }

  /** Texts were added, changed or taken away while this plays: `now` is what the box has, with its own addresses. */
  takeTexts(now: Pick<Video, 'captions' | 'descriptions'>): void {
    const { play } = this;
    if (!play) return;
    const captions = renewed(play.captions, now.captions);
    const descriptions = renewed(play.descriptions, now.descriptions);
    if (!captions && !descriptions) return;
    this.play = {
      ...play,
      captions: captions ?? play.captions,
      descriptions: descriptions ?? play.descriptions,
    };
    const same = (tracks: PlayedText[], track: PlayedText | null): PlayedText | null =>
      tracks.find(({ language }) => language === track?.language) ?? null;
    if (captions) this.changeCaptions(same(captions, this.captions));
    const { track } = this.describing;
    const described = same(descriptions ?? play.descriptions, track);
    if (described !== track) void this.describing.pick(described);
  }

  private changeCaptions(track: PlayedText | null): void {
    if (track === this.captions) return;
    this.captions = track;
    if (!track) return this.setCues([]);
    // What is shown stays until the new text is there.
    void this.cuesOf(track).then(
      (cues) => {
        if (this.captions === track) this.setCues(cues);
      },
      () => this.say(t.captions.failed),
    );
  }

  async pickDescriptions(language: string | null): Promise<void> {
    const track = this.descriptionTracks.find((one) => one.language === language) ?? null;
    this.keep({ descriptions: language });
    const loaded = this.describing.pick(track);
    this.say(this.describing.told(track ? this.nameOf(track) : ''));
    if (!(await loaded)) this.say(t.descriptions.failed);
  }

  toggleDescriptions(): void {
    const usual = usualOf(this.descriptionTracks, this.preferences.descriptions);
    void this.pickDescriptions(this.describing.track ? null : usual);
  }

  toggleCaptions(): void {
    const usual = usualOf(this.captionTracks, this.preferences.captions);
    void this.pickCaptions(this.captions ? null : usual);
  }

  nameOf(track: PlayedText): string {
    return track.label || languageName(track.language);
  }

  /** The cues of a track, for the picture and for the transcript; loaded once. */
  cuesOf(track: PlayedText): Promise<Cue[]> {
    return this.cueFiles.cues(track.url);
  }

  async togglePip(): Promise<void> {
    if (!this.video || !this.canPip) return;
    try {
      if (document.pictureInPictureElement) await document.exitPictureInPicture();
      else await this.video.requestPictureInPicture();
    } catch {
      // The browser refuses before the first frame; nothing to do about it.
    }
  }

  async toggleFullscreen(): Promise<void> {
    const { frame, video } = this;
    if (!frame || !video) return;
    const apple = video as HTMLVideoElement & { webkitEnterFullscreen?: () => void };
    try {
      if (document.fullscreenElement) await document.exitFullscreen();
      else if (document.fullscreenEnabled) await frame.requestFullscreen();
      else apple.webkitEnterFullscreen?.();
    } catch {
      // Refused outside a gesture.
    }
  }

  act(action: Action): void {
    switch (action.kind) {
      case 'toggle':
        return this.toggle();
      case 'mute':
        return this.toggleMute();
      case 'captions':
        return this.toggleCaptions();
      case 'descriptions':
        return this.toggleDescriptions();
      case 'fullscreen':
        return void this.toggleFullscreen();
      case 'skip':
        return this.skip(action.seconds);
      case 'seek':
        return this.seekTo(action.share * this.duration);
      case 'frame':
        return this.step(action.step);
      case 'chapter':
        return this.stepChapter(action.step);
      case 'volume':
        return this.setVolume((this.muted ? 0 : this.volume) + action.step);
      case 'rate': {
        const next = RATES[RATES.indexOf(this.rate) + action.step];
        if (next !== undefined) this.setRate(next);
      }
    }
  }

  restart(): void {
    this.seekTo(0);
  }

  keep(chosen: Partial<Preferences>): void {
    this.preferences = { ...this.preferences, ...chosen };
    save(this.preferences);
  }

  /** After an error: once more, at the same place. */
  async retry(): Promise<void> {
    this.trouble = null;
    await this.again();
  }

  say(text: string): void {
    // The same words again must be a change to be heard again.
    this.said = this.said === text ? `${text}\u00A0` : text;
  }

  // How it comes about

  /** A new viewing where the last one was broken off. Without one the box says where to begin. */
  private async again(): Promise<void> {
    if (this.viewing && this.video) this.brokenOff_s = this.video.currentTime;
    this.viewing?.close();
    this.viewing = null;
    this.source?.destroy();
    this.source = null;
    this.levels = [];
    this.sounds = [];
    // No tracking before `play` has answered again.
    this.boxClock = null;
    await this.begin(this.brokenOff_s);
    if (!this.goesOn || this.trouble || this.destroyed) return;
    this.goesOn = false;
    // A browser that wants to be asked first leaves it to the learner.
    this.video?.play().catch(() => undefined);
  }

  private async begin(at: number | null = null): Promise<void> {
    const { video } = this;
    if (!video) return;
    try {
      await settle();
      const body = this.version === undefined ? {} : { version: this.version };
      const [answer, line] = await Promise.all([
        post<Play>(`videos/${encodeURIComponent(this.videoId)}/play`, body).then((found) => {
          this.boxClock = boxClock(found.now);
          return found;
        }),
        outbox(),
      ]);
      if (this.destroyed) return;
      this.line = line;
      await line.setKey({
        registration: answer.registration,
        endpoint: answer.xapi.endpoint,
        token: answer.xapi.token,
      });
      this.play = withHeld(answer, await line.held(answer.registration));
      this.takeProgress(this.play);
      this.tell.play?.(this.play);
    } catch (error) {
      this.trouble = this.troubleOf(error);
      return;
    }
    const { play } = this;
    const resume_s = play.resume_ms / 1000;
    const resumes = at === null && resume_s > 1 && resume_s < this.duration - RESUME_SLACK_S;
    this.start_s = at ?? (resumes ? resume_s : 0);
    this.resumedAt = resumes ? resume_s : null;
    this.time = this.start_s;
    video.volume = this.preferences.volume;
    video.muted = this.preferences.muted;
    video.defaultPlaybackRate = video.playbackRate = this.preferences.rate;
    const wanted = this.preferences.captions;
    if (wanted !== null && this.captionTracks.some(({ language }) => language === wanted))
      await this.pickCaptions(wanted);
    const described = this.preferences.descriptions;
    if (described !== null && this.descriptionTracks.some(({ language }) => language === described))
      await this.pickDescriptions(described);
    try {
      this.source = await attach(video, play.hls, this.start_s, {
        levels: (levels) => this.takeLevels(levels),
        sounds: (sounds, heard) => this.takeSounds(sounds, heard),
        playing: (lines) => (this.lines = lines),
        failed: (failure) => this.failed(failure),
        trouble: (now) => (this.offline = now),
      });
    } catch {
      // The code that plays could not be loaded: an old page after an update, or no network.
      return this.failed('network');
    }
    if (this.destroyed) this.source.destroy();
  }

  private takeLevels(levels: Level[]): void {
    const isFirst = this.levels.length === 0;
    this.levels = levels;
    // A source that takes another's place goes on with what the learner chose.
    if (isFirst && this.level !== null) this.source?.pick(this.level);
  }

  private takeSounds(sounds: Sound[], heard: number): void {
    const isFirst = this.sounds.length === 0;
    this.sounds = sounds;
    const wanted = this.preferences.sound;
    // What a learner chose last is chosen again, where this video has it.
    const same =
      wanted && sounds.find((s) => s.language === wanted.language && s.name === wanted.name);
    if (isFirst && same && same.id !== heard) this.source?.hear(same.id);
    this.sound = isFirst && same ? same.id : heard;
  }

  private troubleOf(error: unknown): Trouble {
    if (!(error instanceof Problem)) return { text: t.errors.network, retry: true, status: 0 };
    const { status, message } = error;
    const isRefused = status === 403 || status === 404 || status === 410;
    return {
      text: this.renewed && isRefused ? t.errors.gone : message,
      // 401: after signing in again in another tab.
      retry: error.retriable || status === 401 || status === 409,
      status,
    };
  }

  private failed(failure: Failure): void {
    this.goesOn ||= this.video?.paused === false;
    // Someone else lost access, and with it the video got new addresses: only `play` knows whether we lost it too. The
    // browser's own HLS does not say what it was answered.
    const isLost = failure === 'gone' || (failure === 'network' && this.viewing !== null);
    if (isLost && !this.renewed) {
      this.renewed = true;
      return void this.again();
    }
    this.video?.pause();
    this.trouble = { text: t.errors[failure], retry: failure !== 'unsupported', status: 0 };
  }

  /** Tracking begins when the element stands where this visit begins, so that getting there is no seek. */
  private track(sure = false): void {
    const { video, play, line, boxClock } = this;
    if (this.viewing || !video || !play || !line || !boxClock || this.destroyed) return;
    const there = !video.seeking && Math.abs(video.currentTime - this.start_s) < 1;
    if (!there && !sure) return;
    this.viewing = new Viewing(
      video,
      play,
      boxClock,
      line,
      { captions: this.captions?.language ?? null, quality: this.lines },
      (progress) => this.progressed(progress),
    );
    this.brokenOff_s = null;
  }

  private progressed(progress: Progress): void {
    this.progress = {
      segments: visible(progress.played, progress.hidden),
      replayed: visibleAgain(progress.played, progress.hidden),
      watched: progress.watched,
      completed: progress.completed,
      position_s: progress.position_s,
    };
    this.tell.progress?.(this.progress);
  }

  private takeProgress(play: Play): void {
    const { played, hidden } = priorOf(play);
    this.progress = {
      segments: visible(played, hidden),
      replayed: visibleAgain(played, hidden),
      watched: play.watched,
      completed: play.completed,
      position_s: play.resume_ms / 1000,
    };
    this.tell.progress?.(this.progress);
  }

  /** The page goes (or freezes): this session ends. If it comes back, a new one begins where this one stopped. */
  private leave(): void {
    if (!this.viewing || !this.play) return;
    this.viewing.close();
    const { played, hidden, muted, completed } = this.viewing.progress();
    this.play = {
      ...this.play,
      played_segments: print(played),
      hidden_segments: print(hidden),
      muted_segments: print(muted),
      completed,
    };
    this.viewing = null;
    this.video?.pause();
  }

  private comeBack(): void {
    this.start_s = this.video?.currentTime ?? 0;
    this.track(true);
  }

  private listen(): void {
    const { video } = this;
    if (!video) return;
    const { signal } = this.stop;
    const on = (types: string, act: () => void): void =>
      types.split(' ').forEach((type) => video.addEventListener(type, act, { signal }));
    on('loadeddata canplay seeked', () => this.track());
    on('playing', () => {
      this.renewed = false;
      this.track(true);
    });
    on('play pause ended playing seeking seeked ratechange volumechange durationchange', () =>
      this.read(),
    );
    on('timeupdate progress', () => this.read());
    // Also where the page is not painted.
    on('timeupdate', () => this.describing.tick());
    on('waiting', () => this.waits(true));
    on('playing canplay pause seeked ended', () => this.waits(false));
    on('ended', () => this.say(t.status.ended));
    on('enterpictureinpicture leavepictureinpicture', () => {
      this.pip = document.pictureInPictureElement === video;
      this.mirrorCaptions();
    });
    on('webkitbeginfullscreen webkitendfullscreen', () => this.mirrorCaptions());
    document.addEventListener(
      'fullscreenchange',
      () => (this.fullscreen = document.fullscreenElement === this.frame),
      { signal },
    );
    window.addEventListener('pagehide', () => this.leave(), { signal });
    window.addEventListener('pageshow', (event) => void (event.persisted && this.comeBack()), {
      signal,
    });
    document.addEventListener('freeze', () => this.leave(), { signal });
    document.addEventListener('resume', () => this.comeBack(), { signal });
    const online = (): void => {
      if (this.trouble?.retry) void this.retry();
      else this.source?.retry();
    };
    window.addEventListener('online', online, { signal });
    void outbox().then((line) => {
      const off = line.onStatus((status) => (this.sending = status));
      signal.addEventListener('abort', off);
    });
    let readAt = 0;
    const paint = (now: number): void => {
      if (signal.aborted) return;
      if (!video.paused && now - readAt >= CLOCK_MS) {
        readAt = now;
        this.time = video.currentTime;
        this.describing.tick();
      }
      requestAnimationFrame(paint);
    };
    requestAnimationFrame(paint);
  }

  private setCues(cues: Cue[]): void {
    this.cues = cues;
    this.mirrorCaptions();
  }

  /** Where the browser shows the picture alone, it must show the captions too. */
  private mirrorCaptions(): void {
    const apple = this.video as
      (HTMLVideoElement & { webkitDisplayingFullscreen?: boolean }) | null;
    const alone = this.pip || apple?.webkitDisplayingFullscreen === true;
    this.nativeCaptions?.show(alone ? this.cues : []);
  }

  private read(): void {
    const { video } = this;
    if (!video) return;
    this.paused = video.paused;
    this.ended = video.ended;
    if (this.viewing) this.time = video.currentTime;
    this.rate = video.playbackRate;
    this.volume = video.volume;
    this.muted = video.muted;
    const { buffered } = video;
    this.buffered = Array.from({ length: buffered.length }, (_, n): Segment => [
      buffered.start(n),
      buffered.end(n),
    ]);
  }

  private waits(now: boolean): void {
    clearTimeout(this.bufferingTimer);
    if (!now) {
      this.buffering = false;
      return;
    }
    // A short wait after a seek is not worth a word.
    this.bufferingTimer = setTimeout(() => {
      this.buffering = true;
      this.say(this.offline ? t.status.offline : t.status.buffering);
    }, BUFFERING_SAID_MS);
  }
}

/** The language that was chosen last, where there is a text in it; otherwise the first. */
function usualOf(tracks: readonly PlayedText[], last: string | null): string | null {
  const same = tracks.find(({ language }) => language === last);
  return (same ?? tracks[0])?.language ?? null;
}

function priorOf(play: Play): { played: Segment[]; hidden: Segment[] } {
  return { played: parse(play.played_segments), hidden: parse(play.hidden_segments) };
}
