/** How the controls stand, and how the Video Profile tells it (2.6.2): the sensor's view of them. Pure. */
import { round3 } from './segments';
import type { Context, PlayerState, SensorEvent } from './sensor-events';

/** Takes an event of the controls into `state`; false when it is none. */
export function apply(state: PlayerState, event: SensorEvent): boolean {
  switch (event.type) {
    case 'rate':
      state.rate = event.value;
      return true;
    case 'visibility':
      state.hidden = event.value === 'hidden';
      return true;
    case 'mute':
      state.muted = event.value;
      return true;
    case 'volume':
      state.volume = event.value;
      return true;
    case 'captions':
      state.captions = event.value;
      return true;
    case 'quality':
      state.quality = event.value;
      return true;
    case 'fullscreen':
      state.fullscreen = event.value;
      return true;
    case 'size':
      state.playback = event.value;
      return true;
    default:
      return false;
  }
}

/** All context extensions that tell the player's state. Captions go under both names: prose and templates differ. */
export function playerContext(state: PlayerState): Partial<Context> {
  const { rate, volume, muted, captions, quality, fullscreen, screen, playback } = state;
  return {
    speed: `${round3(rate)}x`,
    volume: muted ? 0 : round3(volume),
    'cc-subtitle-enabled': captions !== null,
    'cc-enabled': captions !== null,
    ...(captions !== null && { 'cc-subtitle-lang': captions }),
    ...(quality !== null && { quality }),
    'full-screen': fullscreen,
    ...(screen !== null && { 'screen-size': screen }),
    ...(playback !== null && { 'video-playback-size': playback }),
  };
}
