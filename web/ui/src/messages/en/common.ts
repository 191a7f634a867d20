// Words that several pages share: the frame, errors, units.
import { plural } from '../plural';

const people = plural({ one: '# person', other: '# people' });

export const common = {
  product: 'Lectern',
  skip: 'Skip to content',
  loading: 'Loading…',
  retry: 'Try again',
  cancel: 'Cancel',
  close: 'Close',
  save: 'Save',
  saved: 'Saved',
  undo: 'Undo',
  remove: 'Remove',
  more: 'Show more',
  copy: 'Copy',
  copied: 'Copied',
  copyFailed: 'Copying did not work here: select the text and copy it by hand.',
  line: (n: number, message: string) => `Line ${n}: ${message}`,
  yes: 'yes',
  no: 'no',
  none: 'none',
  never: 'never',
  unknown: 'unknown',
  what: (term: string) => `What does “${term}” mean?`,
  allDefinitions: 'All definitions',
  crumbs: 'Where this page is',
  optional: 'optional',
  percent: (value: number) => `${value}\u00a0%`,
  people,
  version: (n: number) => `version ${n}`,
  showPassword: 'Show',
  hidePassword: 'Hide',
  passwordShown: 'Password is shown',
};

// What pages are called: on themselves, on the browser's tab and in links.
export const titles = {
  library: 'Library',
  signin: 'Sign in',
  setup: 'Set up this box',
  watch: 'Watch',
  upload: 'Upload videos',
  edit: 'Edit video',
  captions: 'Captions',
  descriptions: 'Descriptions',
  who: 'Who watched',
  statements: 'Statements',
  record: 'My record',
  personRecord: 'Record',
  erase: 'Erase a person',
  people: 'People',
  system: 'System',
  upstreams: 'Upstreams',
  sources: 'Sources',
  credentials: 'Credentials',
  settings: 'Settings',
  speech: 'Speech',
  chips: 'Chips',
  audit: 'Audit',
  evidence: 'Evidence',
  account: 'Your account',
  definitions: 'What the numbers mean',
  trust: 'Trust this box',
  missing: 'Page not found',
};

export const nav = {
  label: 'Main',
  library: 'Library',
  record: 'My record',
  statements: 'Statements',
  people: 'People',
  system: 'System',
  signIn: 'Sign in',
  account: (name: string) => `, your account: ${name}`,
  home: (site: string) => `${site}, to the library`,
};

export const errors = {
  offlineTitle: 'The box does not answer',
  offline: 'Nothing that was saved is lost. Check the network, then try again.',
  garbledTitle: 'The answer could not be read',
  garbled:
    'Something between this page and the box changed the answer. Nothing that was saved is lost. Try again, and tell IT if it stays.',
  unknownTitle: 'This page could not go on',
  unknown: 'Nothing that was saved is lost. Reload the page; tell IT if it happens again.',
  oldPage: 'Lectern was updated while this page was open. Reload to go on.',
  reload: 'Reload the page',
  toLibrary: 'Go to the library',
  signedOut:
    'You have been signed out. Sign in again in another tab, then try once more: what you typed here is kept.',
  forbiddenTitle: 'This page is not for your role',
  forbidden:
    'You are signed in, but your role does not include this page. Ask the person who runs Lectern here if you need it.',
  loadFailed: 'This could not be loaded',
  status: (status: number): string => {
    if (status === 401) return 'Please sign in.';
    if (status === 403) return 'You may not do this.';
    if (status === 404) return 'This is not here, or you may not see it.';
    if (status === 409) return 'Someone else changed this at the same time.';
    if (status === 413) return 'This is too large.';
    if (status === 429) return 'Too many tries. Wait a little, then try again.';
    if (status === 507) return 'The disk is full. Nothing that was saved is lost.';
    if (status >= 500)
      return 'The box could not do this. Nothing that was saved is lost; try again.';
    return `The box refused this (${status}).`;
  },
};

export const missing = {
  text: 'There is no page at this address. It may have been moved, or the link was cut short.',
};
