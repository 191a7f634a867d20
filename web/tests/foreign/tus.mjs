// Uploads by tus-js-client, as the page does: in one request, in chunks, broken off and gone on with, and thrown away.
// Usage: node tus.mjs ENDPOINT TOKEN, in web/ui. Prints one line of JSON.
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const { Upload } = require('tus-js-client');

const [endpoint, token] = process.argv.slice(2);
const headers = { authorization: `Bearer ${token}` };
const bytes = (size, seed) => Buffer.from(Uint8Array.from({ length: size }, (_, i) => (i * seed + (i >> 8)) & 255));
const hash = (buffer) => createHash('sha256').update(buffer).digest('hex');

function send(file, options = {}, stopAt = Infinity) {
  return new Promise((resolve, reject) => {
    const upload = new Upload(file, {
      endpoint,
      headers,
      metadata: { filename: 'Vorlesung ä.mp4', filetype: 'video/mp4' },
      retryDelays: [0, 100, 500],
      onError: reject,
      onSuccess: () => resolve(upload.url),
      onChunkComplete: (_size, accepted) => {
        if (accepted >= stopAt) upload.abort().then(() => resolve(upload.url), reject);
      },
      ...options,
    });
    upload.start();
  });
}

const whole = bytes(3_000_000, 7);
const chunks = bytes(2_500_001, 11);
const resumed = bytes(2_000_003, 13);

const results = [];
results.push({ url: await send(whole), hash: hash(whole) });
results.push({ url: await send(chunks, { chunkSize: 400_000 }), hash: hash(chunks) });
const half = await send(resumed, { chunkSize: 300_000 }, 900_000);
results.push({ url: await send(resumed, { uploadUrl: half }), hash: hash(resumed) });
const withCreation = bytes(500_000, 17);
results.push({ url: await send(withCreation, { uploadDataDuringCreation: true }), hash: hash(withCreation) });
const overridden = bytes(100_000, 19);
results.push({ url: await send(overridden, { overridePatchMethod: true }), hash: hash(overridden) });
const thrown = await send(bytes(2_000_000, 23), { chunkSize: 500_000 }, 500_000);
await Upload.terminate(thrown, { headers });
console.log(JSON.stringify({ results, thrown }));
