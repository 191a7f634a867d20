/**
 * Keys to actions. Only while the player has the focus (WCAG 2.1.4), never with a modifier, and never over what the
 * focused control does with the key itself: a button's space, a slider's arrows, a menu's letters. Pure.
 */
export type Action =
  | { kind: 'toggle' | 'mute' | 'captions' | 'descriptions' | 'fullscreen' }
  | { kind: 'skip'; seconds: number }
  | { kind: 'seek'; share: number }
  | { kind: 'frame'; step: 1 | -1 }
  | { kind: 'chapter'; step: 1 | -1 }
  | { kind: 'volume'; step: number }
  | { kind: 'rate'; step: 1 | -1 };

export interface Pressed {
  key: string;
  ctrlKey: boolean;
  altKey: boolean;
  metaKey: boolean;
}

/** What has the focus: the frame itself, a button, a slider or field that uses the keys, or a menu. */
export type Focus = 'frame' | 'button' | 'slider' | 'menu';

export function action(pressed: Pressed, focus: Focus, rightToLeft = false): Action | null {
  if (pressed.ctrlKey || pressed.altKey || pressed.metaKey || focus === 'menu') return null;
  const { key } = pressed;
  const ahead = rightToLeft ? -1 : 1;
  if (focus !== 'slider') {
    if (key === 'ArrowRight') return { kind: 'skip', seconds: 5 * ahead };
    if (key === 'ArrowLeft') return { kind: 'skip', seconds: -5 * ahead };
    if (key === 'ArrowUp') return { kind: 'volume', step: 0.05 };
    if (key === 'ArrowDown') return { kind: 'volume', step: -0.05 };
    if (key === 'Home') return { kind: 'seek', share: 0 };
    if (key === 'End') return { kind: 'seek', share: 1 };
    if (key === 'PageUp') return { kind: 'skip', seconds: 60 };
    if (key === 'PageDown') return { kind: 'skip', seconds: -60 };
  }
  // Space and Enter press the button that has the focus.
  if (key === ' ' && focus !== 'button') return { kind: 'toggle' };
  if (/^[0-9]$/.test(key)) return { kind: 'seek', share: Number(key) / 10 };
  switch (key.toLowerCase()) {
    case 'k':
      return { kind: 'toggle' };
    case 'j':
      return { kind: 'skip', seconds: -10 };
    case 'l':
      return { kind: 'skip', seconds: 10 };
    case 'm':
      return { kind: 'mute' };
    case 'c':
      return { kind: 'captions' };
    case 'd':
      return { kind: 'descriptions' };
    case 'f':
      return { kind: 'fullscreen' };
    case 'n':
      return { kind: 'chapter', step: 1 };
    case 'p':
      return { kind: 'chapter', step: -1 };
    case ',':
      return { kind: 'frame', step: -1 };
    case '.':
      return { kind: 'frame', step: 1 };
    case '<':
      return { kind: 'rate', step: -1 };
    case '>':
      return { kind: 'rate', step: 1 };
    default:
      return null;
  }
}

/** Where a slider's key leads; null when the key is not the slider's. Values from 0 to `max`. */
export function slide(
  key: string,
  value: number,
  max: number,
  step: number,
  page: number,
  rightToLeft = false,
): number | null {
  const ahead = rightToLeft ? -1 : 1;
  const moves: Record<string, number> = {
    ArrowRight: value + step * ahead,
    ArrowLeft: value - step * ahead,
    ArrowUp: value + step,
    ArrowDown: value - step,
    PageUp: value + page,
    PageDown: value - page,
    Home: 0,
    End: max,
  };
  const to = moves[key];
  return to === undefined ? null : Math.min(max, Math.max(0, to));
}
