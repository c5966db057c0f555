// The relay's HTTP API, reached through this page's own server.

const timeout = 10_000; // ms
const maxRobots = 100;

export class APIError extends Error {
  constructor(status, detail, retryAfter) {
    super(detail);
    this.status = status; // HTTP status, 0 if there was no answer
    this.retryAfter = retryAfter; // seconds, NaN if the relay did not say
  }
}

async function call(path, { method = 'GET', token, body } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers['Content-Type'] = 'application/json';
  let response;
  let answer;
  try {
    response = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(timeout),
    });
    answer = await response.json().catch(() => null);
  } catch {
    throw new APIError(0, 'no answer');
  }
  if (!response.ok) {
    throw new APIError(response.status, answer?.detail, Number(response.headers.get('Retry-After') || NaN));
  }
  return answer ?? {};
}

const post = (path, body, token) => call(path, { method: 'POST', token, body });

export const config = () => call('config.json');
export const demoSession = () => call('demo-session');
export const login = (email, password) => post('api/auth/login', { email, password });
export const register = (email, password) => post('api/auth/register', { email, password });
export const refresh = (token) => post('api/auth/refresh', undefined, token);
export const logout = (token) => post('api/auth/logout', undefined, token).catch(() => {}); // it expires anyway
export const pair = (token, code) => post('api/device/pair', { pairing_code: code }, token);

// devices returns the account's robots: [{id, online, seen (ms since 1970, or NaN)}].
export async function devices(token) {
  const { devices: list } = await call('api/user/devices', { token });
  if (!Array.isArray(list)) return [];
  return list
    .filter((d) => isID(d?.device_id))
    .slice(0, maxRobots)
    .map((d) => ({ id: d.device_id, online: d.is_online === true, seen: Date.parse(d.last_seen) }));
}

// isID reports whether a value can be a robot's name.
export const isID = (value) => typeof value === 'string' && value.length > 0 && value.length <= 128;
