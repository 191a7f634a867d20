// The way in: sign-in, the first minute of a new box, one's own account, trusting the box.

export const signin = {
  name: 'Name',
  password: 'Password',
  go: 'Sign in',
  busy: 'Signing in…',
  wrongTitle: 'Name and password do not match',
  wrong:
    'Check both and try again. If you forgot the password, ask the person who runs Lectern here.',
  tooMany: 'Too many tries. Wait a little, then try again.',
  plainHttp:
    'This page came over plain HTTP. That is enough to watch; to run the box or to teach, use the HTTPS address.',
  trust: 'How to trust this box',
  openHttps: 'Open this box over HTTPS',
  setupTitle: 'This box waits to be set up',
  setup:
    'Open the set-up link that lecternd printed when it started. It begins with the address of this page and ends in a secret.',
  already: 'You are signed in already.',
};

export const setup = {
  step: (n: number, of: number, name: string) => `${n} of ${of}: ${name}`,
  steps: 'Steps',
  back: 'Back',
  next: 'Next',
  finish: 'Finish',
  busy: 'Setting up…',
  youTitle: 'You',
  youLead: 'You become the first administrator: you run the box, and can add others who do.',
  teaches: 'I also teach here',
  teachesHint:
    'You can then see who watched your videos. An administrator alone sees no one’s record.',
  displayName: 'Your name',
  displayNameHint: 'As others will see it.',
  name: 'Sign-in name',
  nameHint: 'Short, without spaces. You sign in with it.',
  password: 'Password',
  passwordHint: (least: number) => `At least ${least} characters. A few words in a row work well.`,
  siteTitle: 'This site',
  siteLead: 'What people see at the top of every page. You can change it later.',
  siteName: 'Site name',
  siteHint: 'For example the name of your school or department.',
  siteDefault: 'Lectern',
  identityTitle: 'Identity',
  identityLead:
    'Every learning record names the place that keeps the accounts, by an address (an IRI). It is only a name: nothing needs to answer there, and it is not the address of this page.',
  identityFixed:
    'Choose well: from the first stored record on it is fixed, and it moves along when you restore a backup on another box.',
  identity: 'Identity IRI',
  identityHint:
    'Take an address that your organisation owns, or keep the suggestion, which belongs to this box alone.',
  identityExample: (iri: string) => `A record will say: an account at ${iri}`,
  token: 'Set-up code',
  tokenHint: 'The part after # of the set-up link that lecternd printed when it started.',
  needName: 'Choose a name without spaces.',
  needPassword: (least: number) => `Use at least ${least} characters.`,
  needIdentity: 'An identity begins with http:// or https:// and has no spaces.',
  needToken: 'Enter the code from the set-up link.',
  doneTitle: 'Ready',
  done: 'The box is yours. Add a first lecture, or the sample that shows what Lectern does.',
  toLibrary: 'Go to the library',
  overTitle: 'This box is set up already',
  over: 'The set-up link works once. Sign in with the name that was chosen then.',
};

export const account = {
  signedInAs: 'You are signed in as',
  roles: 'Your roles',
  role: {
    admin: 'Admin',
    instructor: 'Instructor',
    learner: 'Learner',
    auditor: 'Auditor',
  },
  roleMeans: {
    admin: 'Runs the box: people, disk, connections. Sees no one’s record.',
    instructor: 'Uploads videos and sees who watched.',
    learner: 'Watches.',
    auditor: 'Reads records and the list of who read them; changes nothing.',
  },
  passwordTitle: 'Change your password',
  oldPassword: 'Password now',
  newPassword: 'New password',
  change: 'Change password',
  changed: 'Your password is changed. Other devices are signed out.',
  wrongTitle: 'The password now is not right',
  wrong: 'Nothing was changed. If you were signed out meanwhile, sign in again first.',
  signOut: 'Sign out',
  signOutLead: 'On a shared computer, always sign out.',
  more: 'More about Lectern',
  definitions: 'What the numbers mean',
  trust: 'How to trust this box',
};

export const trust = {
  lead: 'Lectern speaks HTTPS with a certificate of its own. Your device does not know it yet; teach it once, and the connection is private and the browser stops warning.',
  none: 'This box does not offer HTTPS. Ask the person who runs it; watching works without.',
  step1: 'Get the certificate',
  download: 'Download the certificate (ca.crt)',
  step2: 'Compare the fingerprint',
  compare:
    'When your device asks, it shows a fingerprint (SHA-256). Compare it with the one that the person who runs this box gave you on another way: on paper, by mail, on a wall. Not with one from a page like this, which came over the same unsafe network.',
  fingerprint: 'This box’s fingerprint',
  fingerprintAdmin:
    'Only an administrator sees it here. Pass it on by a way that this network cannot change.',
  step3: 'Add it to your device',
  systems: [
    {
      name: 'Windows (Edge, Chrome)',
      steps: [
        'Open ca.crt and choose “Install certificate”.',
        'Choose “Current user”, then “Place all certificates in the following store”.',
        'Choose “Trusted root certification authorities” and finish.',
      ],
    },
    {
      name: 'macOS (Safari, Chrome)',
      steps: [
        'Open ca.crt; Keychain Access opens. Add it to “login”.',
        'Double-click the certificate there, open “Trust”, choose “Always trust”.',
      ],
    },
    {
      name: 'iPhone, iPad',
      steps: [
        'Open ca.crt in Safari and allow the profile to be downloaded.',
        'Settings › General › VPN & device management: install the profile.',
        'Settings › General › About › Certificate trust settings: switch it on.',
      ],
    },
    {
      name: 'Android',
      steps: [
        'Settings › Security › Encryption & credentials › Install a certificate › CA certificate.',
        'Choose the downloaded ca.crt.',
      ],
    },
    {
      name: 'Linux, ChromeOS',
      steps: [
        'Chrome: Settings › Privacy and security › Security › Manage certificates › Authorities › Import.',
        'For all programs on Debian or Ubuntu: copy it to /usr/local/share/ca-certificates/ and run update-ca-certificates.',
      ],
    },
    {
      name: 'Firefox, on any system',
      steps: [
        'Settings › Privacy & security › View certificates › Authorities › Import.',
        'Tick “Trust this CA to identify websites”.',
      ],
    },
  ],
  step4: 'Come back over HTTPS',
  openHint: 'Then sign in there: bookmarks and sign-ins of the HTTP address do not carry over.',
};
