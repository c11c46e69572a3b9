// Runs in the browser, on the page at /password-reset.

const form = document.querySelector('form');
const message = document.querySelector('[role=alert]');
const button = document.querySelector('button');
let token = null;

/** What each problem means to a reader; the others are told in the words of the gateway. */
const PROBLEMS = {
  reset_token_invalid: 'This link was used, or has run out. Ask for another one.',
  rate_limited: 'Too many tries. Wait for a minute.',
};

function say(text, isDone = false) {
  message.textContent = text;
  message.classList.toggle('done', isDone);
  message.hidden = false;
}

function explain(problem) {
  const [error] = problem.errors ?? [];
  if (error?.pointer === '/password') return `The password ${error.message}.`;
  return PROBLEMS[problem.code] ?? problem.detail;
}

async function reset(password) {
  const response = await fetch('/v1/auth/password/reset', {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token, password }),
  });
  return response.ok ? null : explain(await response.json());
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { password, again } = Object.fromEntries(new FormData(form));
  if (password !== again) return say('The two passwords are not the same.');
  button.disabled = true;
  const refusal = await reset(password).catch(() => 'There was no answer. Try again.');
  if (refusal !== null) {
    button.disabled = false;
    return say(refusal);
  }
  for (const label of form.querySelectorAll('label')) label.hidden = true;
  button.hidden = true;
  return say('Your password is set. Log in with it: all sessions were ended.', true);
});

function takeToken() {
  token = new URLSearchParams(location.hash.slice(1)).get('token') ?? token;
  // Neither the history nor whoever looks at the screen is to have it.
  history.replaceState(null, '', location.pathname);
  button.disabled = token === null;
  if (token === null) say('This page is for the link in a mail.');
  else message.hidden = true;
}

takeToken();
// The link was opened where this page was open already.
addEventListener('hashchange', takeToken);
