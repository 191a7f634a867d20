// The table of pages: path, who it is for, title, and the code to load. Each page is a chunk of its own,
// so that a learner's phone never loads what only IT needs.
import type { Component } from 'svelte';

import { m } from '../messages';
import type { Role } from './api-types';

export interface Route {
  name: string;
  path: string;
  title: string;
  /** Who may open it: anyone, anyone signed in, or these roles. The box decides; this spares a dead end. */
  for: 'anyone' | 'members' | Role[];
  load: () => Promise<{ default: Component }>;
}

export interface Match {
  route: Route;
  params: Record<string, string>;
}

const missing: Route = {
  name: 'missing',
  path: '*',
  title: m.titles.missing,
  for: 'anyone',
  load: () => import('../pages/Missing.svelte'),
};

export const routes: Route[] = [
  {
    name: 'library',
    path: '/',
    title: m.titles.library,
    for: 'anyone',
    load: () => import('../pages/Library.svelte'),
  },
  {
    name: 'signin',
    path: '/signin',
    title: m.titles.signin,
    for: 'anyone',
    load: () => import('../pages/SignIn.svelte'),
  },
  {
    name: 'setup',
    path: '/setup',
    title: m.titles.setup,
    for: 'anyone',
    load: () => import('../pages/Setup.svelte'),
  },
  {
    name: 'watch',
    path: '/watch/:id',
    title: m.titles.watch,
    for: 'anyone',
    load: () => import('../pages/Watch.svelte'),
  },
  {
    name: 'upload',
    path: '/upload',
    title: m.titles.upload,
    for: ['instructor', 'admin'],
    load: () => import('../pages/Upload.svelte'),
  },
  {
    name: 'edit',
    path: '/videos/:id/edit',
    title: m.titles.edit,
    for: 'members',
    load: () => import('../pages/Edit.svelte'),
  },
  {
    name: 'captions',
    path: '/videos/:id/captions/:language',
    title: m.titles.captions,
    for: 'members',
    load: () => import('../pages/Captions.svelte'),
  },
  {
    name: 'descriptions',
    path: '/videos/:id/descriptions/:language',
    title: m.titles.descriptions,
    for: 'members',
    load: () => import('../pages/Descriptions.svelte'),
  },
  {
    name: 'who',
    path: '/videos/:id/who',
    title: m.titles.who,
    for: 'members',
    load: () => import('../pages/Who.svelte'),
  },
  {
    name: 'statements',
    path: '/statements',
    title: m.titles.statements,
    for: ['instructor', 'auditor'],
    load: () => import('../pages/Statements.svelte'),
  },
  {
    name: 'record',
    path: '/record',
    title: m.titles.record,
    for: 'members',
    load: () => import('../pages/Record.svelte'),
  },
  {
    name: 'personRecord',
    path: '/people/:id/record',
    title: m.titles.personRecord,
    for: ['instructor', 'auditor'],
    load: () => import('../pages/Record.svelte'),
  },
  {
    name: 'people',
    path: '/people',
    title: m.titles.people,
    for: ['admin'],
    load: () => import('../pages/People.svelte'),
  },
  {
    name: 'erase',
    path: '/people/:id/erase',
    title: m.titles.erase,
    for: ['admin'],
    load: () => import('../pages/Erase.svelte'),
  },
  {
    name: 'system',
    path: '/system',
    title: m.titles.system,
    for: ['admin', 'auditor'],
    load: () => import('../pages/System.svelte'),
  },
  {
    name: 'upstreams',
    path: '/system/upstreams',
    title: m.titles.upstreams,
    for: ['admin'],
    load: () => import('../pages/Upstreams.svelte'),
  },
  {
    name: 'sources',
    path: '/system/sources',
    title: m.titles.sources,
    for: ['admin'],
    load: () => import('../pages/Sources.svelte'),
  },
  {
    name: 'credentials',
    path: '/system/credentials',
    title: m.titles.credentials,
    for: ['admin'],
    load: () => import('../pages/Credentials.svelte'),
  },
  {
    name: 'settings',
    path: '/system/settings',
    title: m.titles.settings,
    for: ['admin'],
    load: () => import('../pages/Settings.svelte'),
  },
  {
    name: 'speech',
    path: '/system/speech',
    title: m.titles.speech,
    for: ['admin'],
    load: () => import('../pages/Speech.svelte'),
  },
  {
    name: 'chips',
    path: '/system/chips',
    title: m.titles.chips,
    for: ['admin'],
    load: () => import('../pages/Chips.svelte'),
  },
  {
    name: 'audit',
    path: '/system/audit',
    title: m.titles.audit,
    for: ['admin', 'auditor'],
    load: () => import('../pages/Audit.svelte'),
  },
  {
    name: 'evidence',
    path: '/system/evidence',
    title: m.titles.evidence,
    for: ['admin', 'auditor'],
    load: () => import('../pages/Evidence.svelte'),
  },
  {
    name: 'account',
    path: '/account',
    title: m.titles.account,
    for: 'members',
    load: () => import('../pages/Account.svelte'),
  },
  {
    name: 'definitions',
    path: '/definitions',
    title: m.titles.definitions,
    for: 'anyone',
    load: () => import('../pages/Definitions.svelte'),
  },
  {
    name: 'trust',
    path: '/trust',
    title: m.titles.trust,
    for: 'anyone',
    load: () => import('../pages/Trust.svelte'),
  },
];

/** The route of a path; an unknown path is the not-found page. */
export function match(path: string): Match {
  const parts = split(path);
  for (const route of routes) {
    const params = fit(split(route.path), parts);
    if (params) return { route, params };
  }
  return { route: missing, params: {} };
}

function split(path: string): string[] {
  return path.split('/').filter((part) => part !== '');
}

function fit(pattern: string[], parts: string[]): Record<string, string> | null {
  if (pattern.length !== parts.length) return null;
  const params: Record<string, string> = {};
  for (const [index, piece] of pattern.entries()) {
    const part = parts[index] ?? '';
    if (!piece.startsWith(':')) {
      if (piece !== part) return null;
      continue;
    }
    try {
      params[piece.slice(1)] = decodeURIComponent(part);
    } catch {
      return null;
    }
  }
  return params;
}
