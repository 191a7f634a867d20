// What somebody types to name an actor from elsewhere, as an xAPI Agent. Pure.

/** The Agent as JSON; null when it is none of the four kinds of identifier. */
export function agentOf(typed: string): string | null {
  const text = typed.trim();
  const [first = '', second, ...rest] = text.split(/\s+/u);
  if (second !== undefined) {
    if (rest.length > 0 || !/^[a-z][a-z0-9+.-]*:\S/iu.test(first)) return null;
    return JSON.stringify({ account: { homePage: first, name: second } });
  }
  if (/^[0-9a-f]{40}$/iu.test(first)) return JSON.stringify({ mbox_sha1sum: first });
  if (/^https?:\/\/\S+$/iu.test(first)) return JSON.stringify({ openid: first });
  const mail = first.replace(/^mailto:/iu, '');
  return /^[^@\s]+@[^@\s]+$/u.test(mail) ? JSON.stringify({ mbox: `mailto:${mail}` }) : null;
}
