/** Caption files of one viewing, each asked for once; a failure is forgotten, so that a second try is one. */
import { Problem } from '../lib/api';
import { parseCues, type Cue } from './cues';
import { t } from './messages';

export class CaptionFiles {
  private readonly files = new Map<string, Promise<Cue[]>>();

  cues(url: string): Promise<Cue[]> {
    let file = this.files.get(url);
    if (!file) {
      file = read(url);
      this.files.set(url, file);
      file.catch(() => this.files.delete(url));
    }
    return file;
  }
}

async function read(url: string): Promise<Cue[]> {
  const response = await fetch(url);
  if (!response.ok) throw new Problem(response.status, t.captions.failed, '');
  return parseCues(await response.text());
}
