// The people of this box.
import { plural } from '../plural';

const added = plural({ one: '# person added', other: '# people added' });
const updated = plural({ one: '# updated', other: '# updated' });
const lines = plural({ one: '# line was not taken', other: '# lines were not taken' });

export const people = {
  search: 'Search names',
  searchLabel: 'Search people',
  add: 'Add a person',
  import: 'Import a list',
  list: 'People',
  name: 'Name',
  signInName: 'Sign-in name',
  roles: 'Roles',
  seen: 'Last seen',
  actions: 'Actions',
  disabled: 'may not sign in',
  edit: 'Change',
  editOf: (name: string) => `Change ${name}`,
  you: 'you',
  noMatch: (query: string) => `Nobody’s name matches “${query}”.`,
  emptyTitle: 'Nobody but you yet',
  emptyText: 'Add people one by one, or import a list from your student records.',

  addTitle: 'Add a person',
  editTitle: (name: string) => `Change ${name}`,
  displayName: 'Name',
  displayNameHint: 'As others see it.',
  loginHint: 'Short, without spaces. They sign in with it.',
  email: 'Mail',
  password: 'First password',
  passwordHint: (least: number) =>
    `At least ${least} characters. Tell them by a safe way; they can change it on their own page.`,
  newPassword: 'New password',
  setPassword: 'Set password',
  passwordSet: (name: string) => `${name} has a new password.`,
  rolesHint: 'Several are possible.',
  roleNeeded: 'Choose at least one role.',
  doAdd: 'Add',
  added: (name: string) => `${name} is added.`,
  saved: (name: string) => `${name} is saved.`,
  disable: 'Block sign-in',
  disableHint:
    'They are signed out everywhere and cannot come back until you allow it. Nothing is lost.',
  enable: 'Allow sign-in again',
  disabledDone: (name: string) => `${name} may no longer sign in.`,
  enabledDone: (name: string) => `${name} may sign in again.`,
  remove: 'Remove…',
  removeTitle: (name: string) => `Remove ${name}?`,
  removeText:
    'Name, mail and password leave this box, and they are signed out. Learning records stay, but no longer lead to a person. This cannot be undone.',
  removeDo: 'Remove',
  removed: (name: string) => `${name} is removed.`,

  importTitle: 'Import a list',
  importLead:
    'A CSV file with a first line of headings. Who is there already, by sign-in name, is updated; nobody is removed.',
  importColumns: 'Headings',
  columns: [
    { name: 'name', text: 'sign-in name, needed' },
    { name: 'display_name', text: 'name as others see it' },
    { name: 'email', text: 'mail' },
    {
      name: 'role',
      text: 'learner, instructor, admin, auditor; several with a space between; learner if empty',
    },
    { name: 'password', text: 'first password; without one they cannot sign in yet' },
  ],
  example: 'Example',
  exampleText:
    'name,display_name,email,role,password\nada,Ada Obi,ada@school.example,learner,three quiet words\njonas,Jonas Weber,,instructor learner,',
  chooseCsv: 'Choose a CSV file',
  importing: 'Importing…',
  imported: (a: number, u: number) => `${added(a)}, ${updated(u)}.`,
  importErrors: (n: number) => `${lines(n)}:`,
};
