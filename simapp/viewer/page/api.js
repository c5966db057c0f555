// The relay's HTTP API, reached through this page's own server.

const timeout = 12_000; // ms

export class APIError extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status; // HTTP status, 0 if there was no answer
  }
}

async function call(path, { method = 'GET', token, body } = {}) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(path, {
      method, headers, body: body && JSON.stringify(body), signal: AbortSignal.timeout(timeout),
    });
  } catch {
    throw new APIError(0, 'no answer');
  }
  const answer = await response.json().catch(() => ({}));
  if (!response.ok) throw new APIError(response.status, answer.detail ?? response.statusText);
  return answer;
}

export const config = () => call('config.json');
export const demoSession = () => call('demo-session');
export const login = (email, password) => call('api/auth/login', { method: 'POST', body: { email, password } });
export const refresh = (token) => call('api/auth/refresh', { method: 'POST', token });
export const devices = async (token) => (await call('api/user/devices', { token })).devices ?? [];

// lifeOf returns how many milliseconds a token is still good for.
export function lifeOf(token) {
  try {
    const claims = JSON.parse(atob(token.split('.')[1].replaceAll('-', '+').replaceAll('_', '/')));
    return claims.exp * 1000 - Date.now();
  } catch {
    return 0;
  }
}
