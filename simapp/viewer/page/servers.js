// The ICE servers a relay names (CONTRACT §4), as a browser takes them.

const maxServers = 16;

// usable reads the object of the contract or a bare list, and leaves out what a
// browser would refuse: one bad entry costs the whole list.
export function usable(servers) {
  const list = Array.isArray(servers) ? servers : [servers?.iceServers ?? []].flat();
  return list.slice(0, maxServers).map(tidy).filter((s) => s && s.urls.length > 0);
}

export const hasTURN = (servers) => servers.some((s) => s.urls.some((u) => u.startsWith('turn')));

function tidy(server) {
  const urls = [server?.urls ?? []].flat().filter(taken);
  const { username, credential } = server ?? {};
  if (isSecret(username) && isSecret(credential)) return { urls, username, credential };
  return { urls: urls.filter((u) => u.startsWith('stun')) };
}

const isSecret = (text) => typeof text === 'string' && text.length > 0 && text.length <= 508; // RFC 8489 §14.3

const address = /^(stun|turn)s?:(?:[\w.-]{1,253}|\[[\dA-Fa-f:.]{2,45}\])(?::(\d{1,5}))?(\?transport=(?:udp|tcp))?$/;

// taken reports whether a browser takes a URL: RFC 7064 and 7065, without port 53.
function taken(url) {
  const [, scheme, port, query] = (typeof url === 'string' && address.exec(url)) || [];
  if (!scheme || (scheme === 'stun' && query)) return false;
  return port === undefined || (port > 0 && port < 65536 && Number(port) !== 53);
}
