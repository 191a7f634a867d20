import { describe, expect, it } from 'vitest';

import { agentOf } from './agent';

describe('an actor from elsewhere', () => {
  it.each([
    ['eve@example.org', { mbox: 'mailto:eve@example.org' }],
    ['mailto:eve@example.org', { mbox: 'mailto:eve@example.org' }],
    ['https://id.example/eve', { openid: 'https://id.example/eve' }],
    [' https://lms.example  e17 ', { account: { homePage: 'https://lms.example', name: 'e17' } }],
    ['a'.repeat(40), { mbox_sha1sum: 'a'.repeat(40) }],
  ])('%s is an agent', (typed, agent) => {
    expect(JSON.parse(agentOf(typed) ?? '')).toEqual(agent);
  });

  it.each(['', 'eve', 'a b c', 'lms.example e17', '@', 'javascript:'])('%s is none', (typed) => {
    expect(agentOf(typed)).toBeNull();
  });
});
