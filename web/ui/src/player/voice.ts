/** What reads a description out: the browser's own voice, or whoever listens to the page with a screen reader. */

/** How fast most voices read, and what it takes them to begin. */
const CHARS_A_SECOND = 14;
const BEGIN_MS = 500;
/** A voice that says nothing about its end is not waited for much longer than any would read. */
const PATIENCE = 3;

/** About how long it takes to read these words. */
export function readingTime(text: string): number {
  return BEGIN_MS + (text.length / CHARS_A_SECOND) * 1000;
}

/**
 * The browser's voice for a language: of that region, or of the language at least. Only voices of the device: others
 * would tell somebody elsewhere what is watched here, and are silent with the internet cut.
 */
export function voiceFor(
  language: string,
  voices: readonly SpeechSynthesisVoice[] = installed(),
): SpeechSynthesisVoice | null {
  const own = voices.filter(({ localService }) => localService);
  const tag = language.toLowerCase();
  const of = (voice: SpeechSynthesisVoice): string => voice.lang.toLowerCase().replace('_', '-');
  const [base] = tag.split('-');
  return (
    own.find((voice) => of(voice) === tag) ??
    own.find((voice) => of(voice).split('-')[0] === base) ??
    null
  );
}

/** Resolves when the words have been read, or when nobody wants them any more. */
export function read(
  text: string,
  voice: SpeechSynthesisVoice | null,
  signal: AbortSignal,
): Promise<void> {
  return new Promise((resolve) => {
    const expected = readingTime(text);
    const timer = setTimeout(resolve, voice ? expected * PATIENCE : expected);
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    signal.addEventListener('abort', () => {
      if (voice) speechSynthesis.cancel();
      end();
    });
    if (!voice) return;
    const words = new SpeechSynthesisUtterance(text);
    words.voice = voice;
    words.lang = voice.lang;
    words.onend = words.onerror = end;
    speechSynthesis.speak(words);
  });
}

function installed(): SpeechSynthesisVoice[] {
  return typeof speechSynthesis === 'undefined' ? [] : speechSynthesis.getVoices();
}
