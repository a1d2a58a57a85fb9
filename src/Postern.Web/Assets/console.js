// The console's script. Every page works without it: it swaps the main part instead of loading a page, keeps times and live views fresh,
// puts questions before the page, and adds keys. What it puts on a page is what the server rendered; no text is ever made into markup here.
const root = document.documentElement;
const html = window.trustedTypes
  ? trustedTypes.createPolicy('console', { createHTML: text => text })
  : { createHTML: text => text };
const main = () => document.getElementById('main');
const inField = target => target.closest && target.closest('input, select, textarea, [contenteditable]');

// Times.
const units = [[1, 'ms', 1000], [1000, 's', 60], [60000, 'min', 60], [3600000, 'h', 48], [86400000, 'd', Infinity]];
function span(ms) {
  for (const [size, name, most] of units) if (ms < size * most) return `${Math.floor(ms / size)} ${name}`;
}
function relative(at, now) {
  const ms = at - now;
  return Math.abs(ms) < 1000 ? 'now' : ms > 0 ? `in ${span(ms)}` : `${span(-ms)} ago`;
}
function absolute(at, now) {
  const pad = number => String(number).padStart(2, '0');
  const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
  if (at.toDateString() === now.toDateString()) return `${clock}:${pad(at.getSeconds())}`;
  const year = at.getFullYear() === now.getFullYear() ? undefined : 'numeric';
  const day = at.toLocaleDateString('en-GB', { day: 'numeric', month: 'short', year });
  return `${day} ${clock}`;
}
// The server's clock counts: that of this machine may be wrong.
let ahead = 0;
function readClock() {
  const made = document.querySelector('.bottom time');
  if (made) ahead = Date.parse(made.dateTime) - Date.now();
}
function tick() {
  const now = new Date(Date.now() + ahead);
  for (const time of document.querySelectorAll('time.when')) {
    const at = new Date(time.dateTime);
    time.firstElementChild.textContent = relative(at, now);
    const small = time.querySelector('small');
    if (small && root.dataset.clock === 'local') small.textContent = ` ${absolute(at, now)}`;
  }
}

// Another address, or the same anew, in the place of this one.
let asked = 0;
async function swap(url, keeps, init) {
  const turn = ++asked;
  let response, text;
  try {
    response = await fetch(url, { headers: { Accept: 'text/html' }, ...init });
    text = await response.text();
  } catch {
    if (keeps) stale(); else location.href = url;
    return;
  }
  if (turn !== asked) return;
  // Somebody has to sign in again.
  if (keeps && response.redirected) { location.href = response.url; return; }
  const page = new DOMParser().parseFromString(html.createHTML(text), 'text/html');
  const next = page.getElementById('main');
  if (!next) { if (keeps) stale(); else location.href = url; return; }
  const open = keeps ? [...main().querySelectorAll('details')].map(one => one.open) : [];
  const focus = keeps && main().contains(document.activeElement) ? document.activeElement.getAttribute('href') : null;
  document.title = page.title;
  main().replaceWith(document.adoptNode(next));
  for (const selector of ['.bottom > span', '.server', 'nav.pages']) {
    const [old, fresh] = [document.querySelector(selector), page.querySelector(selector)];
    if (old && fresh) old.replaceWith(document.adoptNode(fresh));
  }
  if (keeps) {
    main().querySelectorAll('details').forEach((one, at) => { if (at in open) one.open = open[at]; });
    if (focus) [...main().querySelectorAll('a')].find(a => a.getAttribute('href') === focus)?.focus();
  } else {
    history.pushState(null, '', response.url);
    main().focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  begin();
}

// Live: what happens asks for the page anew, at most once a second, and never while somebody reads or writes there.
let source, pending = false, lastRefresh = 0, lost = 0;
function busy() {
  const at = document.activeElement;
  return document.hidden || document.querySelector('dialog[open]') || !getSelection().isCollapsed
    || main().querySelector(':checked[name=id]') || (at && main().contains(at) && inField(at));
}
function stale() {
  const bar = document.querySelector('[data-stale]');
  if (!bar) return;
  lost ||= Date.now();
  bar.hidden = false;
  bar.textContent = `Not live: this is how it was ${relative(lost, Date.now())}. `;
  const again = document.createElement('a');
  again.href = location.href;
  again.textContent = 'Refresh';
  bar.append(again);
}
function listen() {
  const live = main()?.dataset.live;
  const url = live && new URL(live, location.href).href;
  if (source?.url === url && source?.readyState !== EventSource.CLOSED) return;
  source?.close();
  source = null;
  if (!url) return;
  source = new EventSource(url);
  source.onmessage = () => { pending = true; };
  source.addEventListener('lagged', () => { pending = true; });
  source.onopen = () => { if (lost) { lost = 0; pending = true; } };
  source.onerror = stale;
}
setInterval(() => {
  if (lost) stale();
  if (pending && !busy() && Date.now() - lastRefresh >= 1000) {
    pending = false;
    lastRefresh = Date.now();
    swap(location.href, true);
  }
}, 500);

// Questions stand before the page, and leaving one leaves its address.
function begin() {
  readClock();
  tick();
  listen();
  for (const button of document.querySelectorAll('[data-copy][hidden]')) button.hidden = false;
  for (const dialog of document.querySelectorAll('dialog.ask[open]:not(:modal)')) {
    dialog.close();
    dialog.showModal();
    dialog.addEventListener('cancel', event => { event.preventDefault(); swap(dialog.dataset.back, false); });
  }
}

addEventListener('click', async event => {
  const copy = event.target.closest('[data-copy]');
  if (copy) {
    await navigator.clipboard.writeText(copy.parentElement.querySelector('code').textContent);
    copy.textContent = 'Copied';
    return;
  }
  const link = event.target.closest('a[data-swap]');
  if (!link || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  swap(link.href, false);
});
addEventListener('submit', event => {
  const form = event.target;
  if (!form.matches('form[data-swap]') || form.method !== 'get') return;
  event.preventDefault();
  const url = new URL(form.action);
  url.search = '';
  for (const [name, value] of new FormData(form, event.submitter)) if (value !== '') url.searchParams.append(name, value);
  swap(url, false);
});
addEventListener('popstate', () => { location.reload(); });

// Keys.
const pages = { o: 'Overview', m: 'Messages', q: 'Queue', a: 'Accounts', d: 'Domains', l: 'Logins', e: 'Explain' };
let going = 0;
function step(by) {
  const links = [...document.querySelectorAll('.rows tbody tr')].map(row => row.querySelector('a')).filter(Boolean);
  const at = links.findIndex(link => link.closest('tr').contains(document.activeElement));
  links[at < 0 ? (by > 0 ? 0 : links.length - 1) : Math.min(links.length - 1, Math.max(0, at + by))]?.focus();
}
addEventListener('keydown', event => {
  if (root.dataset.keys === 'off' || event.ctrlKey || event.metaKey || event.altKey || inField(event.target)
    || document.querySelector('dialog[open]')) return;
  const key = event.key;
  if (going && Date.now() - going < 1500 && pages[key]) {
    going = 0;
    [...document.querySelectorAll('nav.pages a')].find(a => a.textContent === pages[key])?.click();
  } else if (key === 'g') going = Date.now();
  else if (key === '/') document.getElementById('search')?.focus();
  else if (key === 'j') step(1);
  else if (key === 'k') step(-1);
  else if (key === 'x') document.activeElement.closest('tr')?.querySelector('[type=checkbox]')?.click();
  else if (key === '?') {
    const list = document.getElementById('keys');
    list.open = !list.open;
    list.querySelector('summary').focus();
  } else if (key === 'Escape') document.activeElement.blur();
  else return;
  event.preventDefault();
});

begin();
setInterval(tick, 15000);

// The code of an invitation stands behind the # of its link, which is sent to nobody; from there it goes into the field, and out of the address.
const invited = document.querySelector('form[action="/setup"] input[name=code]:not([type=hidden])');
if (invited && location.hash.length > 1) {
  invited.value = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
}
