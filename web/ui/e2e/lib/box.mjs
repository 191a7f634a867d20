/**
 * A box to test against. Either one that runs, which gets learners and captions of the test's own:
 *   BASE=http://127.0.0.1:8080 VIDEO=id ADMIN=name PASSWORD=… LRS_KEY=… LRS_SECRET=…   (ADMIN: admin and instructor)
 * or one of our own in a fresh folder, from LECTERND or the newest build of this checkout.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const START_MS = 30_000;
const PASSWORD = 'a long enough password';
const LEARNERS = 10;

export async function openBox() {
  return process.env.BASE ? running(process.env) : own();
}

async function running({ BASE, VIDEO, ADMIN, PASSWORD: password, LRS_KEY, LRS_SECRET }) {
  const base = BASE.replace(/\/$/, '');
  const teacher = await cookie(base, ADMIN, password);
  await captions(base, VIDEO, teacher);
  const run = Date.now().toString(36);
  let n = 0;
  return {
    base,
    video: VIDEO,
    teacher,
    lrs: { key: LRS_KEY, secret: LRS_SECRET },
    async learner() {
      const name = `e2e-${run}-${(n += 1)}`;
      const body = JSON.stringify({
        name,
        display_name: name,
        roles: ['learner'],
        password: PASSWORD,
      });
      await ask(`${base}/api/v1/people`, {
        method: 'POST',
        headers: { ...teacher, 'Content-Type': 'application/json' },
        body,
      });
      return { name, password: PASSWORD };
    },
    close: async () => undefined,
  };
}

/** Headers that speak for a person who signs in here. */
async function cookie(base, name, password) {
  const response = await ask(`${base}/api/v1/session`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ name, password }),
  });
  const { csrf } = await response.json();
  const cookies = response.headers.getSetCookie().map((one) => one.split(';')[0]);
  return { Cookie: cookies.join('; '), 'X-CSRF-Token': csrf };
}

async function ask(url, init) {
  const response = await fetch(url, init);
  if (!response.ok)
    fail(`${init.method ?? 'GET'} ${url}: ${response.status} ${await response.text()}`);
  return response;
}

async function own() {
  const exe = process.env.LECTERND ?? newest(['target/release/lecternd', 'target/debug/lecternd']);
  const folder = mkdtempSync(join(tmpdir(), 'lectern-box-'));
  const state = join(folder, 'state');
  const command = (args, input) =>
    JSON.parse(
      execFileSync(exe, ['--state', state, '--json', ...args], {
        input,
        encoding: 'utf8',
        stdio: ['pipe', 'pipe', 'inherit'],
      }) || '{}',
    );
  const user = (name, ...roles) => {
    const options = roles.flatMap((role) => ['--role', role]);
    return command(['user', 'add', name, ...options, '--password-stdin'], `${PASSWORD}\n`);
  };

  const daemon = spawn(exe, ['--state', state, 'serve', '--http', '127.0.0.1:0'], {
    stdio: ['ignore', 'pipe', process.env.VERBOSE ? 'inherit' : 'ignore'],
  });
  const ended = new Promise((resolve) => daemon.once('exit', resolve));
  const close = async () => {
    daemon.kill('SIGTERM');
    await ended;
    if (!process.env.KEEP) rmSync(folder, { recursive: true, force: true });
  };
  try {
    const base = await listening(daemon);
    user('teacher', 'admin', 'instructor');
    const learners = Array.from({ length: LEARNERS }, (_, n) => ({
      name: `learner${n + 1}`,
      password: PASSWORD,
    }));
    for (const { name } of learners) user(name, 'learner');
    const { token } = command(['token', 'add', '--user', 'teacher']);
    const lrs = command(['credential', 'add', '--name', 'e2e', '--scope', 'statements/read']);
    const { id } = command([
      'import',
      film(folder),
      '--title',
      'A test of forty seconds',
      '--language',
      'en',
      '--wait',
    ]);
    const teacher = { Authorization: `Bearer ${token}` };
    await captions(base, id, teacher);
    return {
      base,
      video: id,
      teacher,
      lrs,
      learner: () => learners.shift() ?? fail('too few learners'),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A picture that moves and a sound, made here: nothing is downloaded. */
export function film(folder, { size = '426x240', seconds = 40, gop = 50 } = {}) {
  const path = join(folder, `film-${size}.mp4`);
  const input = `-f lavfi -i testsrc2=s=${size}:r=25:d=${seconds} -f lavfi -i sine=f=330:d=${seconds}:b=2`;
  const video = `-c:v libx264 -preset ultrafast -g ${gop} -keyint_min ${gop} -sc_threshold 0 -pix_fmt yuv420p`;
  execFileSync('ffmpeg', ['-v', 'error', '-y', ...`${input} ${video} -c:a aac`.split(' '), path]);
  return path;
}

/** Uploads a file by tus 1.0.0; answers the upload's id. */
export async function uploadFile(box, path) {
  const bytes = readFileSync(path);
  const tus = { ...box.teacher, 'Tus-Resumable': '1.0.0' };
  const made = await ask(`${box.base}/api/v1/uploads`, {
    method: 'POST',
    headers: { ...tus, 'Upload-Length': String(bytes.length) },
  });
  const location = new URL(made.headers.get('Location'), box.base);
  await ask(location, {
    method: 'PATCH',
    headers: { ...tus, 'Upload-Offset': '0', 'Content-Type': 'application/offset+octet-stream' },
    body: bytes,
  });
  return location.pathname.split('/').at(-1);
}

/** Uploads a file and makes a video of it; answers its id at once. */
export async function upload(box, path, title) {
  const body = JSON.stringify({ title, upload: await uploadFile(box, path) });
  const headers = { ...box.teacher, 'Content-Type': 'application/json' };
  return (await (await ask(`${box.base}/api/v1/videos`, { method: 'POST', headers, body })).json())
    .id;
}

/** The newest version of a video. */
export async function newestVersion(box, id) {
  const video = await (
    await ask(`${box.base}/api/v1/videos/${id}`, { headers: box.teacher })
  ).json();
  return video.versions[0];
}

/** Captions of our own, where the video has none. */
async function captions(base, id, teacher) {
  const address = `${base}/api/v1/videos/${id}/captions/en`;
  if ((await fetch(address, { headers: teacher })).ok) return;
  const at = (second) => `00:00:${String(second).padStart(2, '0')}`;
  const cues = Array.from(
    { length: 7 },
    (_, n) => `${at(n * 4)}.000 --> ${at(n * 4 + 3)}.900\nLine ${n + 1} of the lecture`,
  );
  const body = `WEBVTT\n\n${cues.join('\n\n')}\n`;
  await ask(address, { method: 'PUT', headers: { ...teacher, 'Content-Type': 'text/vtt' }, body });
}

function listening(daemon) {
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error('lecternd did not say that it listens')),
      START_MS,
    );
    let text = '';
    daemon.stdout.on('data', (more) => {
      text += more;
      const found = /^listening http=(\S+)/m.exec(text);
      if (!found) return;
      clearTimeout(late);
      resolve(`http://${found[1]}`);
    });
    daemon.once('exit', (code) => reject(new Error(`lecternd ended with ${code}`)));
  });
}

function newest(paths) {
  const there = paths.map((path) => join(ROOT, path)).filter(existsSync);
  there.sort((a, b) => statSync(b).mtimeMs - statSync(a).mtimeMs);
  return there[0] ?? fail('no lecternd is built: `make build`, or name one in LECTERND');
}

function fail(sentence) {
  throw new Error(sentence);
}

/** All statements of a registration, oldest first, by an LRS credential. */
export async function statements(box, registration) {
  const headers = {
    Authorization: `Basic ${Buffer.from(`${box.lrs.key}:${box.lrs.secret}`).toString('base64')}`,
    'X-Experience-API-Version': '2.0.0',
  };
  const found = [];
  let next = `/xapi/statements?registration=${registration}&ascending=true&limit=100`;
  while (next) {
    const response = await fetch(new URL(next, box.base), { headers });
    if (!response.ok) fail(`GET ${next}: ${response.status} ${await response.text()}`);
    const { statements: some, more } = await response.json();
    found.push(...some);
    next = more;
  }
  return found;
}

export async function retention(box) {
  return (
    await ask(`${box.base}/api/v1/videos/${box.video}/retention`, { headers: box.teacher })
  ).json();
}

/** Signs in on a page of the box. */
export async function signIn(page, { name, password }) {
  const status = await page.evaluate(
    async (who) => {
      const response = await fetch('/api/v1/session', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body: JSON.stringify(who),
      });
      return response.ok ? 'in' : `${response.status} ${await response.text()}`;
    },
    { name, password },
  );
  if (status !== 'in') fail(`${name} could not sign in: ${status}`);
}

/** What `play` answers whoever is signed in on `page`. */
export function askPlay(page, video) {
  return page.evaluate(async (id) => {
    const { csrf } = await (await fetch('/api/v1/session')).json();
    const response = await fetch(`/api/v1/videos/${id}/play`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'X-CSRF-Token': csrf },
      body: '{}',
    });
    if (!response.ok) throw new Error(`play: ${response.status} ${await response.text()}`);
    return response.json();
  }, video);
}
