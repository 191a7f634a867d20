/**
 * Puts a package's HLS into a video element: hls.js wherever Media Source Extensions exist, the browser's own HLS
 * elsewhere. (Chromium says `maybe` to native HLS, but gives no renditions to choose from.) Not here: what is played
 * when (`model.svelte.ts`), tracking (`viewing.ts`).
 */
import type Hls from 'hls.js';
import type { ErrorData } from 'hls.js';

export interface Level {
  id: number;
  /** Lines of the short side: what people call 480p. */
  lines: number;
}

/** A sound track: a language, a commentary, a description. */
export interface Sound {
  id: number;
  /** As the manifest calls it; empty where it has no name of its own. */
  name: string;
  /** BCP 47, or empty. */
  language: string;
}

export type Failure = 'network' | 'media' | 'gone' | 'unsupported';

export interface SourceEvents {
  levels(levels: Level[]): void;
  /** The sound tracks, and which of them is heard. */
  sounds(sounds: Sound[], heard: number): void;
  /** The rendition that plays now. */
  playing(lines: number): void;
  /** It will not go on by itself. */
  failed(failure: Failure): void;
  /** Trouble on the way that may pass: true when it begins, false when bytes come again. */
  trouble(now: boolean): void;
}

export interface Source {
  /** Null: as the network allows. */
  pick(id: number | null): void;
  /** A sound track by its id. */
  hear(id: number): void;
  /** The network is back, or a person asked. */
  retry(): void;
  destroy(): void;
}

const RETRY_MS = 3000;
/** A medium that fails this often in a minute is broken, not unlucky. */
const RECOVERIES = 3;
const RECOVERY_WINDOW_MS = 60_000;

export async function attach(
  video: HTMLVideoElement,
  url: string,
  start_s: number,
  events: SourceEvents,
): Promise<Source> {
  if (hasMediaSource()) {
    const { default: HlsJs } = await import('hls.js');
    if (HlsJs.isSupported())
      return viaHlsJs(new HlsJs(config(start_s)), HlsJs, video, url, start_s, events);
  }
  if (video.canPlayType('application/vnd.apple.mpegurl') !== '')
    return native(video, url, start_s, events);
  events.failed('unsupported');
  return { pick() {}, hear() {}, retry() {}, destroy() {} };
}

/** Fetches what `attach` will need, while the page still asks what there is to play. */
export function prepare(): void {
  if (hasMediaSource()) void import('hls.js').catch(() => undefined);
}

function hasMediaSource(): boolean {
  return 'MediaSource' in window || 'ManagedMediaSource' in window;
}

function config(start_s: number): Partial<Hls['config']> {
  return {
    // A version that is still being prepared is an EVENT playlist, which hls.js takes for live: begin where we say.
    startPosition: start_s,
    liveDurationInfinity: false,
    lowLatencyMode: false,
    capLevelToPlayerSize: true,
    // The first segment comes while the element is still being filled.
    startFragPrefetch: true,
    maxBufferLength: 30,
    // Otherwise up to 60 MB are fetched at once: ten minutes that may never be watched.
    maxMaxBufferLength: 60,
    backBufferLength: 60,
    // Captions are drawn by us (`CaptionLayer.svelte`).
    enableWebVTT: false,
    enableIMSC1: false,
    enableCEA708Captions: false,
    renderTextTracksNatively: false,
  };
}

function viaHlsJs(
  hls: Hls,
  HlsJs: typeof Hls,
  video: HTMLVideoElement,
  url: string,
  start_s: number,
  events: SourceEvents,
): Source {
  const { Events, ErrorTypes } = HlsJs;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let troubled = false;
  let recoveries: number[] = [];
  let hasManifest = false;

  const trouble = (now: boolean): void => {
    if (troubled !== now) events.trouble(now);
    troubled = now;
  };
  const again = (): void => {
    clearTimeout(timer);
    if (hasManifest) hls.startLoad(video.currentTime || start_s);
    else hls.loadSource(url);
  };
  const levels = (): void =>
    events.levels(
      hls.levels
        .map(({ width, height }, id) => ({ id, lines: Math.min(width || height, height) }))
        .filter(({ lines }) => lines > 0),
    );

  hls.on(Events.MANIFEST_PARSED, () => {
    hasManifest = true;
    levels();
  });
  hls.on(Events.LEVELS_UPDATED, levels);
  const sounds = (): void =>
    events.sounds(
      hls.audioTracks.map(({ id, name, lang }) => ({
        id,
        // What the box calls a sound without a name says no more than its language.
        name: /^Sound( \(.*\))?( \d+)?$/u.test(name) ? '' : name,
        language: lang ?? '',
      })),
      hls.audioTrack,
    );
  hls.on(Events.AUDIO_TRACKS_UPDATED, sounds);
  hls.on(Events.AUDIO_TRACK_SWITCHED, sounds);
  hls.on(Events.FRAG_LOADED, () => trouble(false));
  hls.on(Events.LEVEL_SWITCHED, (_, { level }) => {
    const now = hls.levels[level];
    if (now) events.playing(Math.min(now.width || now.height, now.height));
  });
  hls.on(Events.ERROR, (_, data: ErrorData) => {
    if (data.type === ErrorTypes.NETWORK_ERROR) {
      trouble(true);
      if (!data.fatal) return;
      const status = data.response?.code ?? 0;
      if (status === 401 || status === 403 || status === 404 || status === 410)
        return events.failed('gone');
      clearTimeout(timer);
      timer = setTimeout(again, RETRY_MS);
      return;
    }
    if (!data.fatal) return;
    const now = performance.now();
    recoveries = [...recoveries.filter((at) => now - at < RECOVERY_WINDOW_MS), now];
    if (data.type !== ErrorTypes.MEDIA_ERROR || recoveries.length > RECOVERIES)
      return events.failed('media');
    if (recoveries.length === RECOVERIES) hls.swapAudioCodec();
    keepPlaying(video, () => hls.recoverMediaError());
  });
  hls.loadSource(url);
  hls.attachMedia(video);

  return {
    pick(id) {
      hls.nextLevel = id ?? -1;
      // A person's choice is not capped by the size of the picture.
      hls.capLevelToPlayerSize = id === null;
    },
    hear(id) {
      hls.audioTrack = id;
    },
    retry: again,
    destroy() {
      clearTimeout(timer);
      hls.destroy();
    },
  };
}

/** An element that is emptied stops: when it is filled again it goes on as it was. */
function keepPlaying(video: HTMLVideoElement, refill: () => void): void {
  const playing = !video.paused;
  refill();
  if (playing) video.play().catch(() => undefined);
}

function native(
  video: HTMLVideoElement,
  url: string,
  start_s: number,
  events: SourceEvents,
): Source {
  const stop = new AbortController();
  const { signal } = stop;
  const load = (at: number): void => {
    video.src = url;
    video.load();
    video.addEventListener('loadedmetadata', () => void (at > 0 && (video.currentTime = at)), {
      once: true,
      signal,
    });
  };
  video.addEventListener('stalled', () => events.trouble(true), { signal });
  video.addEventListener('progress', () => events.trouble(false), { signal });
  video.addEventListener(
    'error',
    () => {
      const code = video.error?.code;
      events.failed(code === MediaError.MEDIA_ERR_NETWORK ? 'network' : 'media');
    },
    { signal },
  );
  load(start_s);
  return {
    pick() {},
    // The browser has a menu of its own.
    hear() {},
    // What still plays has its data, or gets it by itself.
    retry: () => void (video.error && keepPlaying(video, () => load(video.currentTime))),
    destroy() {
      stop.abort();
      video.removeAttribute('src');
      video.load();
    },
  };
}
