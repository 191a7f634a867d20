// A Vite plugin that builds hls.js from its own source without the parts that our packages never need:
// DRM, CMCD, interstitials, steering, its own captions, MPEG-TS. hls.js has switches for them, but ships only two
// ready builds: everything, or one without sound groups, which we need. Half as much for a phone to load.
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Plugin } from 'vite';

const require = createRequire(import.meta.url);
const manifest = require.resolve('hls.js/package.json');
const { version } = require(manifest) as { version: string };

const LEFT_OUT =
  /hls\.js\/src\/controller\/(?:cmcd|content-steering|eme|iframe|interstitials|subtitle-stream|subtitle-track|timeline)-controller/u;
/** Used by the parts above only. */
const FOREIGN = /^@svta\/cml-(?:cmcd|utils)$/u;
/** All our segments are fragmented MP4 in the clear: what reads others answers that it cannot. */
const NEVER_MET =
  /hls\.js\/src\/(?:demux\/(?:tsdemuxer|audio\/(?:aac|mp3|ac3-)demuxer)|crypt\/decrypter\.ts)/u;
/** The table that ties each container to its remuxer: only MP4's row stays. */
const OTHER_ROWS = /\{ demux: (?:TS|AAC|MP3)Demuxer, remux: MP4Remuxer \},/gu;
const NOTHING = '\0nothing';

const switches = {
  __VERSION__: JSON.stringify(version),
  __USE_ALT_AUDIO__: 'true',
  __USE_MEDIA_CAPABILITIES__: 'false',
  __USE_EME_DRM__: 'false',
  __USE_SUBTITLES__: 'false',
  __USE_CMCD__: 'false',
  __USE_CONTENT_STEERING__: 'false',
  __USE_VARIABLE_SUBSTITUTION__: 'false',
  __USE_M2TS_ADVANCED_CODECS__: 'false',
  __USE_INTERSTITIALS__: 'false',
  __USE_IFRAMES__: 'false',
  __IN_WORKER__: 'false',
  __HLS_WORKER_BUNDLE__: 'undefined',
};

export function leanHls(): Plugin {
  return {
    name: 'lectern-lean-hls',
    apply: 'build',
    enforce: 'pre',
    config: () => ({ define: switches }),
    resolveId(source) {
      if (source === 'hls.js') return join(dirname(manifest), 'src/hls.ts');
      if (FOREIGN.test(source)) return NOTHING;
      return null;
    },
    load(id) {
      if (NEVER_MET.test(id)) {
        return {
          code: 'export default class { static probe() { return false; } }',
          syntheticNamedExports: true,
        };
      }
      if (id !== NOTHING && !LEFT_OUT.test(id)) return null;
      return { code: 'export default {};', syntheticNamedExports: true };
    },
    transform(code, id) {
      if (!id.includes('/hls.js/src/')) return null;
      if (!id.endsWith('/demux/transmuxer.ts')) return { moduleSideEffects: false };
      const lean = code.replace(OTHER_ROWS, '');
      if (lean === code) this.error('hls.js names its containers differently now: look here again');
      return { code: lean, map: null, moduleSideEffects: false };
    },
  };
}
