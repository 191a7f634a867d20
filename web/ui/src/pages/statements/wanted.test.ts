import { describe, expect, it } from 'vitest';

import { asked, wantedOf } from './wanted';

const none = wantedOf(() => null);

describe('filters', () => {
  it('that are empty ask for nothing in particular', () => {
    expect(asked(none, null)).toEqual({});
  });

  it('of a person leave those of an actor out', () => {
    const wanted = { ...none, agent: 'eve@example.org' };
    expect(asked(wanted, null)).toEqual({ agent: '{"mbox":"mailto:eve@example.org"}' });
    expect(asked(wanted, 'p1')).toEqual({ person: 'p1' });
  });

  it('of times are the reader’s own time, and what is none is left out', () => {
    const local = '2026-11-26T05:00';
    const wanted = { ...none, since: local, until: 'soon', ascending: 'true' };
    expect(asked(wanted, null)).toEqual({
      since: new Date(local).toISOString(),
      ascending: 'true',
    });
  });
});
