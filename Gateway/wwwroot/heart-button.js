// See docs/embedding.md. MIT licence.

const home = new URL(import.meta.url).origin;

const texts = {
  en: {
    label: 'Love this',
    hearts: (count, number) => `${number} heart${count === 1 ? '' : 's'}`,
    kept: 'Kept. It is sent later.',
    denied: 'This page takes no hearts.',
    failed: 'That did not work. Try again later.',
  },
  zh: {
    label: '喜欢',
    hearts: (count, number) => `${number} 颗心`,
    kept: '已保存，稍后自动送出。',
    denied: '此页面不可点赞。',
    failed: '未成功，请稍后再试。',
  },
};

// Full jitter.
const backoff = (tries) => Math.random() * Math.min(tries > 8 ? 300000 : 10000, 500 * 2 ** tries);

const attempt = (action) => {
  try {
    return action();
  } catch {}
};

// Blocked, full or spoilt: do without.
const storage = attempt(() => localStorage) ?? {};
const write = (key, value) => attempt(() => (storage[key] = value));

class Heart {
  views = new Set();
  version = 0;
  opening = 0;
  count;
  hearted;
  wish;
  isUnsure; // Maybe done.
  #isSettling;
  #held = []; // May count the tap already.
  #tries = 0;
  #timer;

  constructor(server, key) {
    const [user, target] = JSON.parse(key);
    Object.assign(this, { server, key, user, target });
  }

  get isOn() {
    return this.wish ?? this.hearted ?? false;
  }

  get total() {
    return this.count === undefined ? undefined : this.count + this.opening + this.isOn - (this.hearted ?? false);
  }

  learn(news) {
    if (this.#isSettling) return this.#held.push(news);
    const { opening = this.opening } = news;
    // Older news may tell more.
    const { count, version, hearted = news.hearted ?? this.hearted } = news.version < this.version ? this : news;
    const isNew = count !== this.count || hearted !== this.hearted || opening !== this.opening;
    Object.assign(this, { count, version, hearted, opening });
    if (isNew) this.tell({ ok: true, isQuiet: true });
  }

  toggle() {
    this.wish = !this.isOn;
    this.#tries = 0;
    this.#show();
    this.settle();
  }

  // The last wish wins.
  async settle() {
    if (this.#isSettling) return;
    this.#isSettling = true;
    clearTimeout(this.#timer);
    let answer;
    while (this.wish !== undefined && (this.wish !== this.hearted || this.isUnsure)) {
      const { wish } = this;
      answer = await this.server.put(this, wish);
      if (!answer.ok) break;
      Object.assign(this, { hearted: wish, count: answer.count, version: answer.version, isUnsure: false });
    }
    this.#isSettling = false;
    const { ok = true, status, wait, isLost } = answer ?? {};
    const kept = !ok && (!status || status >= 500 || (status === 429 && this.isUnsure));
    if (!kept) this.wish = undefined;
    this.isUnsure ||= kept || isLost;
    this.#show();
    if (answer && !(kept && this.#tries++)) this.tell({ ...answer, kept });
    for (const news of this.#held.splice(0)) this.learn(news);
    if (isLost) this.server.schedule(this);
    if (kept) this.#timer = setTimeout(() => this.settle(), (wait * 1000 || 0) + backoff(this.#tries + 3));
  }

  tell(answer) {
    for (const view of this.views) view.tell(answer);
  }

  #show() {
    this.server.keep(this);
    for (const view of this.views) view.render();
  }
}

// One for each API.
class Server {
  #hearts = new Map();
  #unread = new Set();
  #live = new Set();
  #failures = 0;
  #socket;
  #retry;
  #timer;
  #joining;

  constructor(api) {
    this.api = api;
    this.isOurs = new URL(api).origin === location.origin;
    for (const [key, wish] of Object.entries(this.#kept)) {
      attempt(() => Object.assign(this.heart(key), { wish: !!wish, isUnsure: true }).settle());
    }
  }

  heart(key) {
    if (!this.#hearts.has(key)) this.#hearts.set(key, new Heart(this, key));
    return this.#hearts.get(key);
  }

  get #kept() {
    return attempt(() => JSON.parse(storage[`heart-wishes ${this.api}`])) ?? {};
  }

  keep({ key, wish }) {
    const { [key]: old, ...others } = this.#kept;
    const kept = Object.entries({ ...others, [key]: wish }).slice(-100);
    write(`heart-wishes ${this.api}`, JSON.stringify(Object.fromEntries(kept)));
  }

  resume() {
    clearTimeout(this.#retry);
    this.#retry = this.#failures = 0;
    const kept = this.#kept;
    for (const [key, heart] of this.#hearts) {
      if (heart.wish !== undefined) Object.assign(heart, { wish: kept[key] ?? heart.wish }).settle();
    }
    this.refresh();
  }

  refresh() {
    for (const heart of this.#hearts.values()) if (heart.views.size) this.#unread.add(heart);
    this.schedule();
  }

  // Soon, once for all.
  schedule(heart) {
    if (heart) this.#unread.add(heart);
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      for (const hearts of Map.groupBy(this.#unread, (heart) => heart.user).values()) {
        while (hearts.length) this.#read(hearts.splice(0, 100));
      }
      this.#unread.clear();
      this.#follow();
    }, 20);
  }

  async #read(hearts) {
    const { reader } = this;
    const answer = await this.#call('POST', '/hearts/query', hearts[0].user, { target_ids: hearts.map((heart) => heart.target) });
    if (!answer.ok) return hearts.forEach((heart) => heart.tell({ ...answer, isQuiet: true }));
    hearts.forEach((heart, index) => heart.learn(answer.hearts[index]));
    const [{ hearted, stale }] = answer.hearts;
    // The cookie or token has gone.
    if (!hearts[0].user && reader && reader === this.reader && hearted === undefined && !stale) this.reader = '';
  }

  async put({ target, user }, wish) {
    const refusal = user || this.isOurs || this.reader ? undefined : await (this.#joining ??= this.#join());
    if (refusal) return refusal;
    return this.#call(wish ? 'POST' : 'DELETE', '/hearts', user, { target_id: target });
  }

  // No cookie came back? Keep a token.
  async #join() {
    let answer = await this.#call('POST', '/reader', '', undefined, 'include');
    if (answer.ok) answer = await this.#call('GET', '/reader', '', undefined, 'include');
    if (answer.ok && !answer.known) answer = await this.#call('POST', '/reader?store=element', '');
    this.#joining = undefined;
    if (!answer.ok) return answer;
    this.reader ||= answer.token ?? 'cookie';
  }

  get reader() {
    return /^[!-~]*$/.exec(storage[`heart-reader ${this.api}`] ?? '')?.[0];
  }

  set reader(reader) {
    write(`heart-reader ${this.api}`, reader);
  }

  async #call(...request) {
    for (let tries = 0, isLost = false; ; tries++) {
      const answer = await this.#fetch(...request);
      const { ok, code, status, wait } = answer;
      const isFault = code === 'network' || status >= 500;
      isLost ||= isFault && status !== 503;
      if (ok || tries === 3 || wait > 10 || !(isFault || status === 429)) return { ...answer, isLost: isLost && !ok };
      await new Promise((done) => setTimeout(done, wait * 1000 || backoff(tries)));
    }
  }

  async #fetch(method, path, user, fields, credentials) {
    const { reader, isOurs } = this;
    const headers = { 'Content-Type': 'application/json' };
    if (!user && reader && reader !== 'cookie') headers['Heart-Reader'] = reader;
    credentials ??= !user && (isOurs || reader === 'cookie') ? 'include' : 'omit';
    if (user) fields.user_id = user;
    const query = method === 'DELETE' ? `?${new URLSearchParams(fields)}` : '';
    const body = query ? undefined : JSON.stringify(fields);
    const signal = AbortSignal.timeout(10000);
    try {
      const response = await fetch(`${this.api}/api/v1${path}${query}`, { method, headers, credentials, body, signal, keepalive: path === '/hearts' });
      const { ok, status } = response;
      const token = response.headers.get('Heart-Reader');
      if (token) this.reader = token;
      const answer = await response.json().catch(() => (ok ? Promise.reject() : {}));
      return { code: `http-${status}`, ...answer, ok, status, wait: +response.headers.get('Retry-After') };
    } catch {
      return { ok: false, code: navigator.onLine ? 'network' : 'offline', status: 0 };
    }
  }

  #follow() {
    const shown = [...this.#hearts.values()].filter(({ views }) => !document.hidden && [...views].some((view) => view.isOnScreen));
    const wanted = new Map(shown.slice(0, 200).map(({ target, version }) => [target, version]));
    if (document.hidden) this.#socket?.close();
    else if (wanted.size && !this.#socket && !this.#retry) this.#connect();
    if (this.#socket?.readyState !== 1) return;
    const gone = [...this.#live].filter((target) => !wanted.has(target));
    const come = [...wanted].filter(([target]) => !this.#live.has(target));
    if (gone.length) this.#send({ unsubscribe: gone });
    if (come.length) this.#send({ subscribe: come.map(([target]) => target), since: Object.fromEntries(come) });
    this.#live = new Set(wanted.keys());
  }

  #connect() {
    const socket = (this.#socket = new WebSocket(`${this.api.replace('http', 'ws')}/api/v1/live`));
    let silence;
    this.#live.clear();
    socket.onopen = () => this.#follow();
    socket.onmessage = ({ data }) => {
      clearTimeout(silence);
      silence = setTimeout(() => socket.close(), 60000);
      this.#failures = 0;
      for (const update of JSON.parse(data).updates ?? []) {
        for (const heart of this.#hearts.values()) if (heart.target === update.target_id) heart.learn(update);
      }
    };
    socket.onclose = () => {
      this.#socket = undefined;
      this.#retry = setTimeout(() => {
        this.#retry = 0;
        this.#follow();
      }, backoff(this.#failures++));
    };
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }
}

const servers = new Map();

const serverAt = (api) => {
  if (!servers.has(api)) servers.set(api, new Server(api));
  return servers.get(api);
};

const pageAddress = () => {
  const canonical = document.querySelector('link[rel~=canonical]')?.href;
  const url = new URL(canonical || location);
  url.hash = '';
  for (const name of [...url.searchParams.keys()]) if (!canonical && /^(utm_\w+|\w*clid|mc_[ce]id)$/.test(name)) url.searchParams.delete(name);
  return url.href;
};

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host {
    --on: var(--heart-color, light-dark(#d6174f, #ff6b8e));
    display: inline-block;
    vertical-align: middle;
    line-height: 1;
  }
  :host([hidden]) { display: none }
  button {
    all: unset;
    box-sizing: border-box;
    display: inline-flex;
    align-items: center;
    gap: var(--heart-gap, .45em);
    min-block-size: 2.25em;
    padding: var(--heart-padding, .4em .85em);
    border: 1px solid var(--heart-border, color-mix(in srgb, currentColor 22%, transparent));
    border-radius: var(--heart-radius, 9em);
    background: var(--heart-background, transparent);
    color: var(--heart-text, inherit);
    cursor: pointer;
    touch-action: manipulation;
  }
  button:active { scale: .96 }
  button:focus-visible { outline: 2px solid var(--on); outline-offset: 2px }
  [aria-pressed=true] {
    border-color: var(--heart-border, color-mix(in srgb, var(--on) 45%, transparent));
    background: var(--heart-background, color-mix(in srgb, var(--on) 10%, transparent));
  }
  [part=heart] { position: relative; display: grid; font-size: var(--heart-size, 1.25em) }
  svg {
    inline-size: 1em;
    overflow: visible;
    fill: transparent;
    stroke: currentColor;
    stroke-width: 1.8;
    stroke-linejoin: round;
  }
  @media (hover: hover) { button:hover svg { stroke: var(--on) } }
  [aria-pressed=true] svg { fill: var(--on); stroke: var(--on) }
  [part=heart]::after {
    content: '';
    position: absolute;
    inset: calc(50% - .08em);
    border-radius: 50%;
    opacity: 0;
    color: var(--on);
    box-shadow: 0 -1em, 1em 0, 0 1em, -1em 0;
  }
  [part=count] { font-variant-numeric: tabular-nums }
  [part=count]:empty { display: none }
  [role=status] { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%) }
  @media (pointer: coarse) { button { min-block-size: 44px } }
  @media (prefers-reduced-motion: no-preference) {
    button, svg { transition: .2s }
    .pop svg { animation: pop .45s }
    .pop::after { animation: burst .6s }
  }
  @keyframes pop { 0% { scale: .5 } 45% { scale: 1.3 } }
  @keyframes burst { 0% { opacity: 1; scale: .3 } }
`);

// innerHTML needs trusted types.
const make = (tag, attributes, ...children) => {
  const namespace = `http://www.w3.org/${/svg|path/.test(tag) ? '2000/svg' : '1999/xhtml'}`;
  const element = document.createElementNS(namespace, tag);
  for (const name in attributes) element.setAttribute(name, attributes[name]);
  element.append(...children);
  return element;
};

const onScreen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.see(isIntersecting);
});

class HeartButton extends HTMLElement {
  static observedAttributes = ['api', 'target-id', 'user-id', 'label', 'label-on', 'lang'];

  #heart;
  #count = make('span', { part: 'count' });
  #status = make('span', { role: 'status' });
  #shape = make('span', { part: 'heart' },
    make('svg', { viewBox: '0 0 24 24' },
      make('path', { d: 'M12 21C6 16 2 12 2 8a5 5 0 0 1 10-2 5 5 0 0 1 10 2c0 4-4 8-10 13z' })));
  #button = make('button', { part: 'button' }, this.#shape, this.#count);

  constructor() {
    super();
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#button, this.#status);
    this.#button.onclick = () => this.toggle();
  }

  get targetId() {
    return this.#heart?.target ?? (this.getAttribute('target-id') || pageAddress());
  }

  // As shown; undefined until known.
  get count() {
    return this.#heart?.total;
  }

  get hearted() {
    return this.#heart?.isOn ?? false;
  }

  connectedCallback() {
    onScreen.observe(this);
    this.#bind();
  }

  disconnectedCallback() {
    onScreen.unobserve(this);
    this.see(false);
    this.#unbind();
  }

  attributeChangedCallback() {
    if (this.isConnected) this.#bind();
  }

  toggle() {
    this.#say('');
    this.#heart?.toggle();
    this.#shape.classList.remove('pop');
    this.#shape.offsetWidth;
    this.#shape.classList.toggle('pop', this.hearted);
  }

  see(isOnScreen) {
    this.isOnScreen = isOnScreen;
    this.#heart?.server.schedule();
  }

  tell({ ok, code, status = 0, kept = false, isQuiet }) {
    const { targetId } = this;
    const { hearted = false, count, opening, version } = this.#heart ?? {};
    const detail = ok ? { targetId, hearted, count: count + opening, version } : { targetId, code, status, kept };
    if (!isQuiet) this.#say(ok ? '' : this.#texts[kept ? 'kept' : status === 403 ? 'denied' : 'failed']);
    this.render();
    this.dispatchEvent(new CustomEvent(ok ? 'heart-change' : 'heart-error', { detail, bubbles: true, composed: true }));
  }

  render() {
    const { count, hearted } = this;
    const text = this.#texts;
    const label = (hearted && this.getAttribute('label-on')) || this.getAttribute('label') || text.label;
    const full = count?.toLocaleString(this.#lang);
    const short = count?.toLocaleString(this.#lang, { notation: 'compact', maximumFractionDigits: 1, useGrouping: true, roundingMode: 'trunc' });
    this.#count.textContent = short;
    this.#button.ariaPressed = hearted;
    this.#button.ariaLabel = short ? `${label}, ${text.hearts(count, short === full ? full : `${short} (${full})`)}` : label;
    this.#button.part.toggle('on', hearted);
  }

  get #texts() {
    return texts[this.#lang.slice(0, 2).toLowerCase()] ?? texts.en;
  }

  get #lang() {
    const { lang } = this.closest('[lang]') ?? document.documentElement;
    return attempt(() => Intl.getCanonicalLocales(lang)[0]) ?? navigator.language;
  }

  #bind() {
    this.#unbind();
    const target = this.targetId;
    if (new Blob([target]).size > 256 || /[\p{Cc}\p{Cs}]/u.test(target)) return this.tell({ code: 'target-invalid' });
    const api = this.getAttribute('api');
    const server = serverAt(api ? new URL(api, document.baseURI).href.replace(/\/$/, '') : home);
    this.#heart = server.heart(JSON.stringify([this.getAttribute('user-id') ?? '', target]));
    this.#heart.views.add(this);
    server.schedule(this.#heart);
    this.render();
  }

  #unbind() {
    this.#heart?.views.delete(this);
    this.#heart = undefined;
  }

  #say(message) {
    this.#status.textContent = this.#button.title = message;
  }
}

const resume = () => servers.forEach((server) => server.resume());
addEventListener('online', resume);
// By another window.
addEventListener('storage', ({ key }) => document.hidden || !/^heart-/.test(key) || servers.forEach((server) => server.refresh()));
document.addEventListener('visibilitychange', () => (document.hidden ? servers.forEach((server) => server.schedule()) : resume()));

customElements.get('heart-button') ?? customElements.define('heart-button', HeartButton);
