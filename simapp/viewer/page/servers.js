// The ICE servers a relay names (CONTRACT §4), as a browser takes them.

const maxServers = 16;

// usable reads the object of the contract or a bare list, and leaves out what a
// browser would refuse: one bad entry costs the whole list.
export function usable(servers) {
  const list = Array.isArray(servers) ? servers : [servers?.iceServers ?? []].flat();
  return list.slice(0, maxServers).map(tidy).filter((s) => s && s.urls.length > 0);
}

export const hasTURN = (servers) => servers.some((s) => s.urls.some((u) => /^turns?:/.test(u)));

function tidy(server) {
  const urls = [server?.urls ?? []].flat().filter((u) => typeof u === 'string' && taken(u));
  const { username, credential } = server ?? {};
  if (typeof username === 'string' && typeof credential === 'string') return { urls, username, credential };
  return { urls: urls.filter((u) => u.startsWith('stun')) };
}

// Browsers refuse port 53.
const taken = (url) => /^(stun|turn)s?:[^\s]{1,256}$/.test(url) && !/:53(\?|$)/.test(url);
