/** Fetched by the browser, so that the page may forbid styles and scripts within. */
export const STYLE = `body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; width: 100% }
td { border-top: 1px solid #eee; padding: .2rem .6rem .2rem 0; text-align: left; vertical-align: top }
section { border: 1px solid #ddd; border-radius: .4rem; padding: .8rem 1rem }
h3, section p, section div { margin: 0 0 .4rem }
form { display: inline-block; margin: 0 .3rem 0 0 }
section, main > form { margin: 0 0 1rem }
dl { display: flex; gap: 2.5rem }
dt { color: #666 }
dd { font-size: 1.5rem; margin: 0 }
.small { color: #666; font-size: .8rem }
.succeeded { color: #18794e }
.canceled { color: #b42318 }
[role=alert] { background: #fdecea; padding: .6rem }
input { width: 8rem }
`;

/** Shows what has changed, unless somebody is in the middle of typing. */
export const REFRESH_SCRIPT = `setInterval(async () => {
  const inputs = [...document.querySelectorAll('main input')];
  if (document.hidden || inputs.some((one) => one === document.activeElement || one.value !== one.defaultValue)) return;
  const response = await fetch('/').catch(() => null);
  const next = response?.ok ? new DOMParser().parseFromString(await response.text(), 'text/html').querySelector('main') : null;
  const main = document.querySelector('main');
  if (next) main.replaceWith(document.adoptNode(next));
  else main.textContent = 'The fake Stripe does not answer.';
}, 2000);
`;
