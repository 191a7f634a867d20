/**
 * What goes into the sensor and what comes out. The short names of `result` and `context` are those of the
 * Video Profile's extensions; `statement.ts` makes whole statements of them, `tracking/golden` uses the same form.
 */
export interface PlayerState {
  rate: number;
  /** 0 to 1, as the slider stands; `muted` is apart. */
  volume: number;
  muted: boolean;
  hidden: boolean;
  /** Language of the captions that are shown, null when they are off. */
  captions: string | null;
  /** Lines of the rendition that plays; `auto` when the choice was given back; null while unknown. */
  quality: number | 'auto' | null;
  fullscreen: boolean;
  /** `WxH` of the screen and of the picture on it. */
  screen: string | null;
  playback: string | null;
}

export const INITIAL_STATE: PlayerState = {
  rate: 1,
  volume: 1,
  muted: false,
  hidden: false,
  captions: null,
  quality: null,
  fullscreen: false,
  screen: null,
  playback: null,
};

/**
 * An event with the box's time and the media clock as it stood when the event was handled. For `seeking` and
 * `seeked` that is already the new position: the browser tells it so, and the sensor knows.
 */
export type SensorEvent = { wall_ms: number; media_s: number } & (
  | { type: 'load'; value?: Partial<PlayerState> }
  | { type: 'play' | 'pause' | 'seeking' | 'seeked' | 'tick' | 'ended' | 'close' }
  | { type: 'rate'; value: number }
  | { type: 'visibility'; value: 'hidden' | 'visible' }
  | { type: 'mute'; value: boolean }
  | { type: 'volume'; value: number }
  | { type: 'captions'; value: string | null }
  | { type: 'quality'; value: number | 'auto' | null }
  | { type: 'fullscreen'; value: boolean }
  | { type: 'size'; value: string }
);

export type Verb =
  'initialized' | 'played' | 'paused' | 'seeked' | 'interacted' | 'completed' | 'terminated';

export interface Result {
  time?: number;
  'time-from'?: number;
  'time-to'?: number;
  progress?: number;
  'played-segments'?: string;
  'hidden-segments'?: string;
  'muted-segments'?: string;
  completion?: true;
  /** ISO 8601. */
  duration?: string;
}

export interface Context {
  length: number;
  'completion-threshold'?: number;
  speed?: string;
  volume?: number;
  'cc-subtitle-enabled'?: boolean;
  'cc-enabled'?: boolean;
  'cc-subtitle-lang'?: string;
  quality?: number | 'auto';
  'full-screen'?: boolean;
  'screen-size'?: string;
  'video-playback-size'?: string;
}

/** A statement before it has ids, actor and activity. */
export interface Draft {
  verb: Verb;
  wall_ms: number;
  result: Result;
  context: Context;
}

/** When a registration counts as complete: its last second was shown, or a share of the distinct runtime was. */
export type Completion = { rule: 'end' } | { rule: 'watched'; threshold: number };

/** What the registration had before this session, as `play` answers it. */
export interface Prior {
  played_segments?: string;
  hidden_segments?: string;
  muted_segments?: string;
  /** Whether a `completed` of this registration was told: it is said once. */
  completed?: boolean;
}
