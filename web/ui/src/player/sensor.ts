/**
 * The player as sensor: a state machine from player events to Video Profile 1.0 statements (2.3 to 2.7).
 *
 * Not here: the DOM (`viewing.ts`), ids and JSON (`statement.ts`), sending (`outbox.ts`). Pure; every time is an argument.
 *
 * The rule above all others: never a second that was not shown. A segment ends where the media clock stood at the
 * last sample BEFORE a seek, because `seeking` and `seeked` both already report the new time; samples are ignored
 * while a seek runs; and a clock that jumps with no seek event is taken for a seek.
 */
import { isCompleted } from './completion';
import { apply, playerContext } from './controls-state';
import { isoDuration } from './duration';
import { print, ratio, round3, total, visible, parse, type Segment } from './segments';
import {
  INITIAL_STATE,
  type Completion,
  type Context,
  type Draft,
  type PlayerState,
  type Prior,
  type Result,
  type SensorEvent,
  type Verb,
} from './sensor-events';
import { Track } from './track';

/** A second seek within this time after the first is the same gesture. */
const GESTURE_MS = 500;
/** Changes of the controls (a volume drag) within this time are one `interacted`. */
const CONTROLS_MS = 1000;
/** The media clock may run this far ahead of the wall clock times the rate before it counts as a jump. */
const JUMP_AHEAD_S = 0.5;
/** It may fall back this far (some browsers' clocks jitter by a frame). */
const JUMP_BACK_S = 0.1;
/** Between landing and the news of it the clock runs on by less than this. */
const LANDING_S = 0.25;

export interface SensorConfig {
  length_s: number;
  completion: Completion;
  prior?: Prior;
}

interface Seek {
  from: number;
  to: number;
  /** When the last `seeked` came; null while the browser is still seeking. */
  settled_ms: number | null;
}

export interface Progress {
  played: Segment[];
  hidden: Segment[];
  muted: Segment[];
  /** Share of the length that was shown at least once. */
  watched: number;
  completed: boolean;
  position_s: number;
}

export class Sensor {
  private phase: 'new' | 'open' | 'closed' = 'new';
  private state: PlayerState = { ...INITIAL_STATE };
  /** Whether the element plays, and whether the last statement said so. */
  private playing = false;
  private saidPlaying = false;
  private seek: Seek | null = null;
  private last = { wall_ms: 0, media_s: 0 };
  /** The faster of the rates since the last sample. */
  private fastest = 1;
  /** Changes of the controls not yet said. */
  private changed: { context: Partial<Context>; wall_ms: number; media_s: number } | null = null;
  private saidAt_ms = -Infinity;
  private completed: boolean;
  /** Time spent watching over the registration. */
  private watch_ms: number;
  private played: Track;
  private hidden: Track;
  private muted: Track;
  private out: Draft[] = [];

  constructor(private readonly config: SensorConfig) {
    const prior = config.prior ?? {};
    const played = parse(prior.played_segments ?? '');
    this.played = new Track(played);
    this.hidden = new Track(parse(prior.hidden_segments ?? ''));
    this.muted = new Track(parse(prior.muted_segments ?? ''));
    this.completed = prior.completed ?? false;
    // The box keeps no stop-watch for earlier sessions: what was played then counts at normal speed.
    this.watch_ms = total(played) * 1000;
  }

  /** Takes one event, answers the statements it causes, in order. */
  step(event: SensorEvent): Draft[] {
    if (event.type === 'load' ? this.phase !== 'new' : this.phase !== 'open') return [];
    this.take({ ...event, media_s: this.clamp(event.media_s) });
    const out = this.out;
    this.out = [];
    return out;
  }

  /** What `close` would say if the session ended at the last sample; the sensor itself goes on unchanged. */
  ifClosed(): Draft[] {
    if (this.phase !== 'open') return [];
    const copy = new Sensor(this.config);
    Object.assign(copy, this, {
      state: { ...this.state },
      seek: this.seek && { ...this.seek },
      played: this.played.clone(),
      hidden: this.hidden.clone(),
      muted: this.muted.clone(),
      out: [],
    });
    return copy.step({ type: 'close', wall_ms: this.last.wall_ms, media_s: this.last.media_s });
  }

  progress(): Progress {
    const at = this.last.media_s;
    const played = this.played.segments(at);
    const hidden = this.hidden.segments(at);
    return {
      played,
      hidden,
      muted: this.muted.segments(at),
      watched: ratio(visible(played, hidden), this.config.length_s),
      completed: this.completed,
      position_s: this.seek ? this.seek.to : at,
    };
  }

  private take(event: SensorEvent): void {
    const { wall_ms, media_s } = event;
    if (event.type === 'load') {
      this.phase = 'open';
      this.state = { ...this.state, ...event.value };
      this.fastest = this.state.rate;
      this.last = { wall_ms, media_s };
      this.emit('initialized', wall_ms, {}, playerContext(this.state));
      return;
    }
    if (event.type === 'seeking') return this.seekBegins(wall_ms, media_s);
    if (event.type === 'seeked') return this.seekEnds(wall_ms, media_s);

    this.sample(wall_ms, media_s);
    this.settleSeek(wall_ms, event.type !== 'tick');
    switch (event.type) {
      case 'play':
        this.playing = true;
        this.openTracks();
        this.sayPlaying(wall_ms);
        break;
      case 'pause':
      case 'ended':
        this.stop(wall_ms);
        break;
      case 'tick':
        this.settleControls(wall_ms, false);
        break;
      case 'close':
        this.close(wall_ms);
        return;
      default:
        this.control(event);
    }
    this.completeIfDue(wall_ms);
  }

  // Seeks

  private seekBegins(wall_ms: number, to: number): void {
    const running = this.seek;
    if (running && running.settled_ms !== null && wall_ms - running.settled_ms >= GESTURE_MS)
      this.settleSeek(wall_ms, true);
    if (this.seek) {
      // The gesture goes on: what flashed by between two steps of a scrub was not watched.
      if (this.seek.settled_ms !== null) this.eachTrack((track) => track.drop());
      this.seek.settled_ms = null;
      this.seek.to = to;
      return;
    }
    this.settleControls(wall_ms, true);
    this.seek = { from: this.last.media_s, to, settled_ms: null };
    this.eachTrack((track) => track.hold(this.last.media_s));
  }

  private seekEnds(wall_ms: number, to: number): void {
    if (!this.seek) return this.sample(wall_ms, to);
    // The clock may have run on from the target already, and that was shown; anything else is where the browser landed.
    const ran = to - this.seek.to;
    const ranOn = this.playing && ran >= 0 && ran < LANDING_S;
    if (!ranOn) this.seek.to = to;
    this.seek.settled_ms = wall_ms;
    this.last = { wall_ms, media_s: this.seek.to };
    this.openTracks();
    this.last.media_s = to;
    // Play or pause pressed in mid-seek, or a seek to where we were: nothing to wait for.
    if (this.playing !== this.saidPlaying || this.seek.to === this.seek.from) {
      this.settleSeek(wall_ms, true);
    }
  }

  /** Says the seek that is over once its gesture is over too, or `now` that something else is to be said. */
  private settleSeek(wall_ms: number, now: boolean): void {
    const seek = this.seek;
    if (!seek || seek.settled_ms === null) return;
    if (!now && wall_ms - seek.settled_ms < GESTURE_MS) return;
    const moved = seek.to !== seek.from;
    this.seek = null;
    this.eachTrack((track) => track.settle(moved));
    if (moved)
      this.emit('seeked', seek.settled_ms, {
        'time-from': seek.from,
        'time-to': seek.to,
        ...this.watchedSoFar(seek.to),
      });
    this.sayPlaying(wall_ms);
  }

  // The media clock

  /** Reads the media clock. Not while a seek runs: it may tell the old or the new time. */
  private sample(wall_ms: number, media_s: number): void {
    if (this.seek?.settled_ms === null) return;
    const elapsed_s = Math.max(0, wall_ms - this.last.wall_ms) / 1000;
    const moved = media_s - this.last.media_s;
    if (!this.playing) {
      // A new position with no seek event before it (a player element reloaded under us).
      if (Math.abs(moved) > JUMP_BACK_S) this.jump(wall_ms, media_s);
      else this.last = { wall_ms, media_s: this.last.media_s };
    } else if (moved < -JUMP_BACK_S || moved > elapsed_s * this.fastest + JUMP_AHEAD_S) {
      this.jump(wall_ms, media_s);
    } else {
      if (moved > 0) this.watch_ms += Math.min(elapsed_s, moved / this.state.rate) * 1000;
      this.last = { wall_ms, media_s: Math.max(this.last.media_s, media_s) };
    }
    this.fastest = this.state.rate;
  }

  private jump(wall_ms: number, media_s: number): void {
    this.seekBegins(wall_ms, media_s);
    this.seekEnds(wall_ms, media_s);
  }

  private openTracks(): void {
    if (this.seek?.settled_ms === null) return;
    const { hidden, muted, volume } = this.state;
    const at = this.last.media_s;
    this.played.set(this.playing, at);
    this.hidden.set(this.playing && hidden, at);
    this.muted.set(this.playing && (muted || volume === 0), at);
  }

  private stop(wall_ms: number): void {
    this.playing = false;
    this.openTracks();
    this.sayPlaying(wall_ms);
  }

  /** `played` or `paused`, if that is news. In mid-seek it waits for the seek's end. */
  private sayPlaying(wall_ms: number): void {
    if (this.playing === this.saidPlaying || this.seek) return;
    this.settleControls(wall_ms, true);
    this.saidPlaying = this.playing;
    const time = this.last.media_s;
    if (this.playing) this.emit('played', wall_ms, { time });
    else this.emit('paused', wall_ms, { time, ...this.watchedSoFar(time) });
  }

  // The controls

  private control(event: SensorEvent): void {
    const { wall_ms } = event;
    const before = playerContext(this.state);
    if (!apply(this.state, event)) return;
    if (event.type === 'rate') this.fastest = Math.max(this.fastest, event.value);
    this.openTracks();
    const after = playerContext(this.state);
    const keys = (Object.keys(after) as (keyof Context)[]).filter(
      (key) => after[key] !== before[key],
    );
    if (keys.length === 0) return;
    const context = Object.fromEntries(keys.map((key) => [key, after[key]]));
    this.changed = {
      context: { ...this.changed?.context, ...context },
      wall_ms,
      media_s: this.last.media_s,
    };
    // A new rate is said at once and with the segments, so that the box need not guess how fast they were played.
    if (event.type === 'rate') this.settleControls(wall_ms, true);
  }

  /** Says what the controls did, once they rest or `now`; in mid-seek that waits. */
  private settleControls(wall_ms: number, now: boolean): void {
    if (!this.changed || this.seek || (!now && wall_ms - this.changed.wall_ms < CONTROLS_MS))
      return;
    const { context, wall_ms: at, media_s: time } = this.changed;
    this.changed = null;
    this.emit(
      'interacted',
      at,
      { time, ...(context.speed !== undefined && this.watchedSoFar(this.last.media_s)) },
      context,
    );
  }

  // The end

  private completeIfDue(wall_ms: number): void {
    const { completion, length_s } = this.config;
    // The end is reached when playing stops there, not while its last second still runs.
    if (this.completed || this.seek || (completion.rule === 'end' && this.playing)) return;
    const at = this.last.media_s;
    const shown = visible(this.played.segments(at), this.hidden.segments(at));
    if (isCompleted(completion, shown, length_s)) this.complete(wall_ms);
  }

  private complete(wall_ms: number): void {
    this.completed = true;
    this.settleControls(wall_ms, true);
    const time = this.last.media_s;
    this.emit('completed', wall_ms, {
      time,
      ...this.watchedSoFar(time),
      completion: true,
      duration: isoDuration(this.watch_ms),
    });
  }

  private close(wall_ms: number): void {
    // A seek cut short: nothing is known to have been shown at its target.
    if (this.seek) this.seekEnds(wall_ms, this.seek.to);
    this.settleSeek(wall_ms, true);
    this.settleControls(wall_ms, true);
    this.stop(wall_ms);
    this.completeIfDue(wall_ms);
    const time = this.last.media_s;
    this.emit('terminated', wall_ms, { time, ...this.watchedSoFar(time) });
    this.phase = 'closed';
  }

  // What statements carry

  private watchedSoFar(
    at: number,
  ): Pick<Result, 'progress' | 'played-segments' | 'hidden-segments' | 'muted-segments'> {
    const played = this.played.segments(at);
    const hidden = this.hidden.segments(at);
    const muted = this.muted.segments(at);
    return {
      progress: ratio(played, this.config.length_s),
      'played-segments': print(played),
      ...(hidden.length > 0 && { 'hidden-segments': print(hidden) }),
      ...(muted.length > 0 && { 'muted-segments': print(muted) }),
    };
  }

  private emit(verb: Verb, wall_ms: number, result: Result, more: Partial<Context> = {}): void {
    const { completion, length_s } = this.config;
    this.saidAt_ms = Math.max(this.saidAt_ms, wall_ms);
    this.out.push({
      verb,
      wall_ms: this.saidAt_ms,
      result,
      context: {
        length: round3(length_s),
        ...(completion.rule === 'watched' &&
          completion.threshold < 1 && { 'completion-threshold': round3(completion.threshold) }),
        speed: `${round3(this.state.rate)}x`,
        ...more,
      },
    });
  }

  private clamp(media_s: number): number {
    const finite = Number.isFinite(media_s) ? media_s : this.last.media_s;
    return round3(Math.min(Math.max(0, finite), this.config.length_s));
  }

  private eachTrack(act: (track: Track) => void): void {
    [this.played, this.hidden, this.muted].forEach(act);
  }
}
