/**
 * Descriptions of what is seen, read out while the video plays. One that takes longer than the pause it was written for
 * holds the video until it has been read (WCAG 2.1, 1.2.7, extended audio description).
 */
import type { PlayedText } from '../lib/api-types';
import { begun, type Cue } from './cues';
import { t } from './messages';
import type { Preferences } from './preferences';
import { read, voiceFor } from './voice';

interface Reading {
  cue: Cue;
  over: boolean;
  stop: AbortController;
}

export class Describing {
  track = $state.raw<PlayedText | null>(null);
  /** What is read just now. */
  shown = $state('');
  /** The video stands still because a description is not over. */
  holding = $state(false);

  private video: HTMLVideoElement | null = null;
  private cues: readonly Cue[] = [];
  /** Until where it was looked for descriptions that begin. */
  private looked_s = -1;
  private reading: Reading | null = null;
  /** It began while another was still read. */
  private next: Cue | null = null;

  constructor(
    private readonly cuesOf: (track: PlayedText) => Promise<Cue[]>,
    private readonly as: () => Preferences['descriptionsAs'],
  ) {}

  open(video: HTMLVideoElement, signal: AbortSignal): void {
    this.video = video;
    video.addEventListener('seeking', () => this.moved(), { signal });
    signal.addEventListener('abort', () => this.silence());
  }

  /** Reads another text from now on, or none. False: it could not be loaded. */
  async pick(track: PlayedText | null): Promise<boolean> {
    this.track = track;
    this.cues = [];
    this.goOn();
    if (!track) return true;
    try {
      const cues = await this.cuesOf(track);
      if (this.track !== track) return true;
      this.cues = cues;
      this.lookFromHere();
      return true;
    } catch {
      return false;
    }
  }

  /** Whether the browser itself reads, rather than a screen reader. */
  get isSpoken(): boolean {
    return this.voice() !== null;
  }

  /** What a learner is told of it who turns them on or off. */
  told(name: string): string {
    if (!this.track) return t.descriptions.offSaid;
    const isMute = this.as() === 'spoken' && !this.isSpoken;
    return isMute ? t.descriptions.noVoice(name) : t.descriptions.on(name);
  }

  /** Looks where the video is: often, while it plays. */
  tick(): void {
    const { video, reading } = this;
    if (!video || !this.track || video.paused || video.seeking) return;
    if (this.holding) return this.pressed();
    const now = video.currentTime;
    const cue = begun(this.cues, this.looked_s, now);
    this.looked_s = now;
    if (reading && !reading.over) {
      this.next ??= cue;
      if (cue || now >= reading.cue.to) this.hold();
    } else if (cue) {
      this.start(cue);
    } else if (reading && now >= reading.cue.to) {
      this.silence();
    }
  }

  private start(cue: Cue): void {
    this.silence();
    const reading = { cue, over: false, stop: new AbortController() };
    this.reading = reading;
    this.shown = cue.text;
    void read(cue.text, this.voice(), reading.stop.signal).then(() => {
      if (this.reading !== reading) return;
      reading.over = true;
      const { next, holding } = this;
      if (next) this.start(next);
      if (holding) this.play();
    });
  }

  private voice(): SpeechSynthesisVoice | null {
    return this.track && this.as() === 'spoken' ? voiceFor(this.track.language) : null;
  }

  private hold(): void {
    this.holding = true;
    this.video?.pause();
  }

  /** Nothing is read any more; a video that was held plays. */
  private goOn(): void {
    const { holding } = this;
    this.silence();
    if (holding) this.play();
  }

  private play(): void {
    this.holding = false;
    this.video?.play().catch(() => undefined);
  }

  /** It plays although it is held: whoever pressed play does not want to wait for the rest. */
  private pressed(): void {
    const { next } = this;
    this.silence();
    if (next) this.start(next);
  }

  private moved(): void {
    this.goOn();
    this.lookFromHere();
  }

  /** What begins just where the video stands is read, too. */
  private lookFromHere(): void {
    this.looked_s = (this.video?.currentTime ?? 0) - 0.001;
  }

  private silence(): void {
    const { reading } = this;
    this.reading = null;
    this.next = null;
    this.holding = false;
    this.shown = '';
    reading?.stop.abort();
  }
}
