/**
 * One viewing: hears what a video element does, feeds the sensor, and hands its statements to the outbox.
 * The thin shell between DOM and `sensor.ts`; it decides nothing about what was watched.
 */
import type { Play } from '../lib/api-types';
import type { BoxClock } from './box-clock';
import { announce } from './leftovers';
import type { Outbox } from './outbox';
import { Sensor, type Progress } from './sensor';
import type { Completion, Draft, PlayerState, SensorEvent } from './sensor-events';
import type { Checkpoint, NewRow } from './shelf';
import { statement, type Viewing as Facts } from './statement';
import { uuid4 } from './uuid';

/** The media clock is read this often where no frame callback runs: in hidden tabs, while paused. */
const TICK_MS = 250;
/** Where one runs, not more often than this: a script elsewhere may seek at any moment. */
const FRAME_MS = 40;
/** The page hears of progress this often at most. */
const PROGRESS_MS = 250;
/** A checkpoint is written this often while something happens, and as a sign of life otherwise. */
const CHECKPOINT_MS = 3000;

type Fed = SensorEvent extends infer E
  ? E extends SensorEvent
    ? Omit<E, 'wall_ms' | 'media_s'>
    : never
  : never;

export class Viewing {
  private readonly sensor: Sensor;
  private readonly facts: Facts;
  /** Ids of the closing pair, fixed from the start: told twice, by a dying page and at the next visit, they are one. */
  private readonly lastIds = { paused: uuid4(), completed: uuid4(), terminated: uuid4() };
  private readonly stop = new AbortController();
  private readonly timer: ReturnType<typeof setInterval>;
  private frame = 0;
  private tickedAt = 0;
  private toldAt = 0;
  private checkpointAt = 0;
  /** The media clock as last read: an element that is emptied and filled again tells 0 in between. */
  private media_s = 0;
  private ended = false;

  /** The element must stand where it will begin. */
  constructor(
    private readonly video: HTMLVideoElement,
    play: Play,
    private readonly clock: BoxClock,
    private readonly outbox: Outbox,
    state: Partial<PlayerState>,
    private readonly onProgress: (progress: Progress) => void,
  ) {
    const completion: Completion =
      play.completion.rule === 'end'
        ? { rule: 'end' }
        : { rule: 'watched', threshold: play.completion.threshold };
    // A source that does not say its length is as long as the browser finds it.
    const length_s =
      play.duration_ms / 1000 || (Number.isFinite(video.duration) ? video.duration : 0);
    this.sensor = new Sensor({ length_s, completion, prior: play });
    this.facts = {
      actor: play.actor,
      activity_id: play.activity_id,
      registration: play.registration,
      version: play.version,
      title: play.title,
      language: play.language || 'und',
      session: uuid4(),
      user_agent: navigator.userAgent,
    };
    announce(this.facts.session, true);
    this.timer = setInterval(() => this.tick(), TICK_MS);
    this.feed({
      type: 'load',
      value: {
        ...state,
        rate: video.playbackRate,
        volume: video.volume,
        muted: video.muted,
        hidden: this.hidden(),
        screen: `${screen.width}x${screen.height}`,
        playback: this.size(),
      },
    });
    this.listen();
    // Someone was quicker than the first picture.
    if (!video.paused) this.feed({ type: 'play' });
  }

  /** Reads the media clock now: right before the player itself moves it. */
  tick(): void {
    // Between setting `currentTime` and the `seeking` event the clock tells the target already.
    if (this.video.seeking) return;
    this.feed({ type: 'tick' });
    const now = performance.now();
    this.tickedAt = now;
    if (now - this.checkpointAt >= CHECKPOINT_MS) this.checkpoint(now);
  }

  captions(language: string | null): void {
    this.feed({ type: 'captions', value: language });
  }

  /** The learner chose a rendition, or gave the choice back. What the network chooses is no interaction. */
  quality(lines: number | 'auto'): void {
    this.feed({ type: 'quality', value: lines });
  }

  progress(): Progress {
    return this.sensor.progress();
  }

  /** The page goes, or another video takes the place: the last words, sent so that they outlive the page. */
  close(): void {
    if (this.ended) return;
    this.ended = true;
    this.stop.abort();
    clearInterval(this.timer);
    cancelAnimationFrame(this.frame);
    const drafts = this.sensor.step(this.stamp({ type: 'close' }));
    this.outbox.close(this.rows(drafts, true), this.facts.session);
    announce(this.facts.session, false);
  }

  private listen(): void {
    const { signal } = this.stop;
    const { video } = this;
    const on = (type: string, fed: () => Fed): void =>
      video.addEventListener(type, () => this.feed(fed()), { signal });
    on('play', () => ({ type: 'play' }));
    on('pause', () => ({ type: 'pause' }));
    on('seeking', () => ({ type: 'seeking' }));
    on('seeked', () => ({ type: 'seeked' }));
    on('ended', () => ({ type: 'ended' }));
    on('ratechange', () => ({ type: 'rate', value: video.playbackRate }));
    video.addEventListener('timeupdate', () => this.tick(), { signal });
    video.addEventListener(
      'volumechange',
      () => {
        this.feed({ type: 'volume', value: video.volume });
        this.feed({ type: 'mute', value: video.muted });
      },
      { signal },
    );
    const visibility = (): void => {
      this.feed({ type: 'visibility', value: this.hidden() ? 'hidden' : 'visible' });
      // A phone may kill a hidden tab without another word.
      if (document.hidden) {
        this.checkpoint(performance.now());
        this.outbox.flush();
      }
    };
    document.addEventListener('visibilitychange', visibility, { signal });
    video.addEventListener('enterpictureinpicture', visibility, { signal });
    video.addEventListener('leavepictureinpicture', visibility, { signal });
    const full = (): void =>
      this.feed({ type: 'fullscreen', value: document.fullscreenElement !== null });
    document.addEventListener('fullscreenchange', full, { signal });
    window.addEventListener('resize', () => this.feed({ type: 'size', value: this.size() }), {
      signal,
    });
    const paint = (): void => {
      if (!video.paused && performance.now() - this.tickedAt >= FRAME_MS) this.tick();
      this.frame = requestAnimationFrame(paint);
    };
    this.frame = requestAnimationFrame(paint);
  }

  private feed(event: Fed): void {
    if (this.ended) return;
    const drafts = this.sensor.step(this.stamp(event));
    if (drafts.length > 0) {
      const soon =
        drafts.some(
          ({ verb }) => verb !== 'played' && verb !== 'seeked' && verb !== 'interacted',
        ) || document.hidden;
      this.checkpointAt = performance.now();
      void this.outbox.put(this.rows(drafts, false), soon, this.lastWords());
      if (document.hidden) this.outbox.flush();
    }
    const now = performance.now();
    if (drafts.length > 0 || now - this.toldAt >= PROGRESS_MS) {
      this.toldAt = now;
      this.onProgress(this.sensor.progress());
    }
  }

  private stamp(event: Fed): SensorEvent {
    if (this.video.readyState > 0) this.media_s = this.video.currentTime;
    return { ...event, wall_ms: this.clock.now(), media_s: this.media_s } as SensorEvent;
  }

  private checkpoint(now: number): void {
    this.checkpointAt = now;
    void this.outbox.checkpoint(this.lastWords());
  }

  private lastWords(): Checkpoint {
    return {
      session: this.facts.session,
      registration: this.facts.registration,
      rows: this.rows(this.sensor.ifClosed(), true),
      beat_ms: Date.now(),
    };
  }

  private rows(drafts: Draft[], last: boolean): NewRow[] {
    const device = this.clock.device();
    return drafts.map((draft) => {
      const fixed =
        last && draft.verb in this.lastIds
          ? this.lastIds[draft.verb as keyof typeof this.lastIds]
          : uuid4();
      const made = statement(draft, this.facts, fixed, device);
      return { id: made.id, registration: this.facts.registration, body: JSON.stringify(made) };
    });
  }

  /** A picture in its own window is seen though the page is not. */
  private hidden(): boolean {
    return document.hidden && document.pictureInPictureElement !== this.video;
  }

  private size(): string {
    return `${Math.round(this.video.clientWidth)}x${Math.round(this.video.clientHeight)}`;
  }
}
