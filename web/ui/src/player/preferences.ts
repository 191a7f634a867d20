/** What a learner chose for every video: volume, speed, captions and their look, descriptions. Kept by the browser, never sent. */
export const SIZES = ['small', 'normal', 'large', 'huge'] as const;
export const COLORS = ['white', 'yellow', 'green', 'cyan'] as const;
export const BACKGROUNDS = ['solid', 'half', 'none'] as const;
/** Who reads descriptions: the browser, or whatever reads the page. */
export const READERS = ['spoken', 'text'] as const;

export interface Preferences {
  volume: number;
  muted: boolean;
  rate: number;
  /** The sound track that was chosen last, where a video has several; null: never. */
  sound: { language: string; name: string } | null;
  /** Language of the captions that were on last; null when they were turned off. */
  captions: string | null;
  /** Language of the descriptions that were on last; null when they were turned off. */
  descriptions: string | null;
  descriptionsAs: (typeof READERS)[number];
  size: (typeof SIZES)[number];
  color: (typeof COLORS)[number];
  background: (typeof BACKGROUNDS)[number];
}

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2];

const KEY = 'lectern.player';
const DEFAULTS: Preferences = {
  volume: 1,
  muted: false,
  rate: 1,
  sound: null,
  captions: null,
  descriptions: null,
  descriptionsAs: 'spoken',
  size: 'normal',
  color: 'white',
  background: 'solid',
};

export function load(storage: Pick<Storage, 'getItem'> | null = own()): Preferences {
  let kept: Partial<Record<keyof Preferences, unknown>> = {};
  try {
    kept = (JSON.parse(storage?.getItem(KEY) ?? '{}') ?? {}) as typeof kept;
  } catch {
    // Written by another version of us: begin anew.
  }
  const one = <T>(value: unknown, of: readonly T[], otherwise: T): T =>
    of.includes(value as T) ? (value as T) : otherwise;
  const { volume } = kept;
  return {
    volume: typeof volume === 'number' && volume >= 0 && volume <= 1 ? volume : DEFAULTS.volume,
    muted: kept.muted === true,
    rate: one(kept.rate, RATES, DEFAULTS.rate),
    sound: isSound(kept.sound) ? kept.sound : null,
    captions: typeof kept.captions === 'string' ? kept.captions : null,
    descriptions: typeof kept.descriptions === 'string' ? kept.descriptions : null,
    descriptionsAs: one(kept.descriptionsAs, READERS, DEFAULTS.descriptionsAs),
    size: one(kept.size, SIZES, DEFAULTS.size),
    color: one(kept.color, COLORS, DEFAULTS.color),
    background: one(kept.background, BACKGROUNDS, DEFAULTS.background),
  };
}

function isSound(value: unknown): value is Preferences['sound'] {
  const sound = value as Preferences['sound'] | undefined;
  return typeof sound?.language === 'string' && typeof sound.name === 'string';
}

export function save(
  preferences: Preferences,
  storage: Pick<Storage, 'setItem'> | null = own(),
): void {
  try {
    storage?.setItem(KEY, JSON.stringify(preferences));
  } catch {
    // Full or refused: the choice holds for this page.
  }
}

function own(): Storage | null {
  try {
    return localStorage;
  } catch {
    return null;
  }
}
