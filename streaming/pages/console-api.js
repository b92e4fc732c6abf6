// Asking the server's API, with the token that an operator gave.

let token = null;
try { token = sessionStorage.getItem("token"); } catch { /* a private window: asked again next time */ }

export const hasToken = () => Boolean(token);
export const authorization = () => (token ? { Authorization: `Bearer ${token}` } : {});

export function setToken(value) {
  token = value;
  try { sessionStorage.setItem("token", token); } catch { /* kept for this page only */ }
}

// The error of an answer: its words, its status, and of a rundown its problems.
async function failure(response) {
  const answer = await response.json().catch(() => ({}));
  const { error = `The server answered with status ${response.status}.`, problems = [] } = answer;
  return Object.assign(new Error(error), { status: response.status, locked: response.status === 401, problems });
}

async function ask(path, body, method = body === undefined ? "GET" : "POST", accept = "application/json") {
  const headers = { Accept: accept, ...authorization() };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const sent = body === undefined ? undefined : JSON.stringify(body);
  const response = await fetch(`/api/v1${path}`, { method, headers, body: sent });
  if (!response.ok) throw await failure(response);
  return response;
}

export async function call(path, body, method) {
  const response = await ask(path, body, method);
  return response.status === 204 ? undefined : response.json();
}

// A picture as an address for an <img>, which could not send the token itself.
export async function picture(path, body) {
  const response = await ask(path, body, undefined, "image/webp");
  return URL.createObjectURL(await response.blob());
}
