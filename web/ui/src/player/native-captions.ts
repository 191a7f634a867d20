/**
 * The captions as a text track of the element itself, for where our own layer (`CaptionLayer.svelte`) is not seen: a
 * picture in its own window, and a phone's own full screen. One track for all, since one that was added cannot be taken
 * away; it has no language, because that could not change.
 */
import type { Cue } from './cues';

export class NativeCaptions {
  private track: TextTrack | null = null;
  private cues: readonly Cue[] = [];

  constructor(private readonly video: HTMLVideoElement) {}

  /** Shows these, and nothing when there are none. */
  show(cues: readonly Cue[]): void {
    if (cues.length === 0 && !this.track) return;
    const track = (this.track ??= this.video.addTextTrack('captions'));
    if (cues !== this.cues) {
      // A disabled track does not tell its cues.
      track.mode = 'hidden';
      for (const cue of [...(track.cues ?? [])]) track.removeCue(cue);
      for (const { from, to, text } of cues) track.addCue(new VTTCue(from, to, escaped(text)));
      this.cues = cues;
    }
    track.mode = cues.length > 0 ? 'showing' : 'disabled';
  }
}

/** Plain text as WebVTT cue text, where tags and entities mean something. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
