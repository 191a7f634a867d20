import { describe, expect, it } from 'vitest';

import { match, routes } from './routes';

describe('an address', () => {
  it('leads to its page with its parts decoded', () => {
    expect(match('/')).toMatchObject({ route: { name: 'library' } });
    expect(match('/watch/a%20b/')).toMatchObject({
      route: { name: 'watch' },
      params: { id: 'a b' },
    });
    expect(match('/videos/7/who')).toMatchObject({ route: { name: 'who' }, params: { id: '7' } });
    expect(match('/system/upstreams')).toMatchObject({ route: { name: 'upstreams' } });
  });

  it('that is broken or unknown leads to the page that says so', () => {
    for (const path of ['/nowhere', '/watch', '/watch/a/b', '/watch/%E0%A4%A']) {
      expect(match(path).route.name).toBe('missing');
    }
  });

  it('belongs to one page only', () => {
    expect(new Set(routes.map((route) => route.path)).size).toBe(routes.length);
  });
});
