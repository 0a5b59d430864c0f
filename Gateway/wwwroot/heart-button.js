// <heart-button>: shows how many love a page, and takes a heart. How to use it: docs/embedding.md. MIT licence.

const home = new URL(import.meta.url).origin;
const queryLimit = 100;
const liveLimit = 200;
const keptLimit = 100;

const texts = {
  en: {
    label: 'Love this',
    hearts: (count, number) => `${number} ${count === 1 ? 'heart' : 'hearts'}`,
    offline: 'You are offline. Your heart will be sent when you are back.',
    busy: 'Too many hearts at once. Please try again in a moment.',
    denied: 'Hearts are not taken from this page.',
    failed: 'That did not work. Please try again.',
  },
  zh: {
    label: '喜欢',
    hearts: (count, number) => `${number} 颗心`,
    offline: '当前离线，恢复连接后会自动送出。',
    busy: '操作太频繁，请稍后再试。',
    denied: '此页面不接受点赞。',
    failed: '没有成功，请再试一次。',
  },
};

const pause = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));

// Full jitter: those who failed together do not come back together.
const backoff = (tries, longest = 10_000) => Math.random() * Math.min(longest, 500 * 2 ** tries);

/** localStorage, or what passes for it where a browser blocks that. */
const storage = {
  memory: {},
  read(key) {
    try {
      return localStorage.getItem(key);
    } catch {
      return this.memory[key] ?? null;
    }
  },
  write(key, text) {
    try {
      if (text === null) localStorage.removeItem(key);
      else localStorage.setItem(key, text);
    } catch {
      this.memory[key] = text;
    }
  },
};

/** A target as one reader sees it: what the server last said, and what the reader wishes. */
class Heart {
  views = new Set();
  version = -1;
  opening = 0;
  count; // undefined until the server told
  hearted;
  wish; // undefined while the server's state is what the reader wants
  isUnsure = false; // a call was lost: the server may have done it
  #isSettling = false;
  #held; // news that came while a call was under way, which may count that call already

  constructor(server, target, user) {
    Object.assign(this, { server, target, user });
  }

  get isShown() {
    return [...this.views].some((view) => view.isOnScreen);
  }

  get isOn() {
    return this.wish ?? this.hearted ?? false;
  }

  get total() {
    if (this.count === undefined) return undefined;
    return Math.max(0, this.count + this.opening + Number(this.isOn) - Number(this.hearted ?? false));
  }

  /** Takes the server's word, unless a newer one is known. */
  learn(news) {
    if (this.#isSettling) {
      if (news.version >= (this.#held?.version ?? 0)) this.#held = { count: news.count, version: news.version };
      return;
    }
    if (news.version < this.version) return;
    const { count, version, hearted = this.hearted, opening = this.opening } = news;
    const isNew = count !== this.count || hearted !== this.hearted || opening !== this.opening;
    Object.assign(this, { count, version, hearted, opening });
    if (isNew) this.tell('heart-change', { hearted: this.isOn, count: this.total, version });
  }

  toggle() {
    this.wish = !this.isOn;
    this.#changed();
    this.settle();
  }

  /** Brings the wish to the server; the last one wins. */
  async settle() {
    if (this.#isSettling) return;
    this.#isSettling = true;
    let answer;
    while (this.wish !== undefined && (this.wish !== this.hearted || this.isUnsure)) {
      const wish = this.wish;
      answer = await this.server.put(this, wish);
      if (!answer.ok) break;
      this.hearted = wish;
      this.isUnsure = false;
      if (answer.version >= this.version) Object.assign(this, { count: answer.count, version: answer.version });
    }
    this.#isSettling = false;
    const isKept = answer && !answer.ok && answer.isKept;
    if (!isKept) this.wish = undefined;
    this.#changed();
    if (answer?.ok) this.tell('heart-change', { hearted: this.isOn, count: this.total, version: this.version });
    if (answer && !answer.ok) this.tell('heart-error', { code: answer.code, status: answer.status });
    const held = this.#held;
    this.#held = undefined;
    if (held) this.learn(held);
  }

  tell(type, detail) {
    for (const view of this.views) view.tell(type, { targetId: this.target, ...detail });
  }

  #changed() {
    this.server.keep(this);
    for (const view of this.views) view.render();
  }
}

/** One API as this page uses it: one query for all hearts, one socket, one reader. */
class Server {
  static #all = new Map();

  static at(api) {
    if (!this.#all.has(api)) this.#all.set(api, new Server(api));
    return this.#all.get(api);
  }

  static get all() {
    return this.#all.values();
  }

  #hearts = new Map();
  #unread = new Set();
  #failures = 0;
  #live = new Set();
  #socket;
  #retry;
  #scheduled;
  #joining;

  constructor(api) {
    this.api = api;
    this.isOurs = new URL(api).origin === location.origin;
    this.keptKey = `heart-button:${api}`;
    this.readerKey = `heart-reader:${api}`;
    for (const [key, wish] of Object.entries(this.#kept())) {
      const [user, target] = JSON.parse(key);
      const heart = this.heart(target, user);
      heart.wish = wish;
      heart.isUnsure = true;
      if (navigator.onLine) heart.settle();
    }
  }

  heart(target, user = '') {
    const key = JSON.stringify([user, target]);
    if (!this.#hearts.has(key)) this.#hearts.set(key, new Heart(this, target, user));
    return this.#hearts.get(key);
  }

  // What was wished and not yet answered outlives the page.

  #kept() {
    try {
      return JSON.parse(storage.read(this.keptKey)) ?? {};
    } catch {
      return {};
    }
  }

  keep({ user, target, wish }) {
    const kept = this.#kept();
    const key = JSON.stringify([user, target]);
    delete kept[key];
    if (wish !== undefined) kept[key] = wish;
    const entries = Object.entries(kept).slice(-keptLimit);
    storage.write(this.keptKey, entries.length ? JSON.stringify(Object.fromEntries(entries)) : null);
  }

  /** The page is back, on the network or before somebody's eyes. */
  resume() {
    this.#failures = 0;
    clearTimeout(this.#retry);
    this.#retry = undefined;
    const kept = this.#kept();
    for (const [key, heart] of this.#hearts) {
      // Another window may have sent it, or changed it, meanwhile.
      if (heart.wish !== undefined) heart.wish = kept[key];
      heart.settle();
      if (heart.views.size) this.#unread.add(heart);
    }
    this.schedule();
  }

  read(heart) {
    this.#unread.add(heart);
    this.schedule();
  }

  /** Soon, once for all that changes now: asks for what is unread and follows what is on the screen. */
  schedule() {
    this.#scheduled ??= setTimeout(() => {
      this.#scheduled = undefined;
      this.#query();
      this.#follow();
    }, 20);
  }

  #query() {
    const byUser = Map.groupBy(this.#unread, (heart) => heart.user);
    this.#unread.clear();
    for (const hearts of byUser.values()) {
      for (let start = 0; start < hearts.length; start += queryLimit) this.#ask(hearts.slice(start, start + queryLimit));
    }
  }

  async #ask(hearts) {
    const body = { target_ids: hearts.map((heart) => heart.target) };
    for (let tries = 0; ; tries++) {
      const answer = await this.#call('POST', '/hearts/query', body, hearts[0].user);
      if (answer.ok) {
        answer.hearts.forEach((state, index) => hearts[index].learn(state));
        this.#checkReader(answer.hearts[0]);
        return;
      }
      if (!isPassing(answer) || tries === 4 || !navigator.onLine) {
        for (const heart of hearts) heart.tell('heart-error', { code: answer.code, status: answer.status });
        return;
      }
      await pause(waitOf(answer, tries));
    }
  }

  /** Gives or withdraws a heart, trying again while that makes sense. */
  async put(heart, wish) {
    for (let tries = 0; ; tries++) {
      const answer = navigator.onLine ? await this.#put(heart, wish) : { status: 0, code: 'offline' };
      if (answer.ok) return answer;
      const isLost = answer.status === 0 || answer.status === 500 || answer.status === 504;
      if (isLost && answer.code !== 'offline') heart.isUnsure = true;
      answer.isKept = !navigator.onLine || answer.status === 504;
      const limit = answer.status === 0 ? 2 : 4;
      if (!navigator.onLine || !isPassing(answer) || tries === limit || answer.wait > 10) return answer;
      await pause(waitOf(answer, tries));
      // Definitely not done, and no longer wanted.
      if (heart.wish === heart.hearted && !heart.isUnsure) return { ...answer, ok: true, version: -1 };
    }
  }

  async #put(heart, wish) {
    const refusal = heart.user ? undefined : await this.#join();
    if (refusal) return refusal;
    const { target, user } = heart;
    return wish
      ? this.#call('POST', '/hearts', { target_id: target }, user)
      : this.#call('DELETE', `/hearts?target_id=${encodeURIComponent(target)}${user && `&user_id=${encodeURIComponent(user)}`}`, null, user);
  }

  /** Before the first tap on another origin: is there a cookie for us here? Else we keep the reader's token ourselves. */
  #join() {
    if (this.isOurs || this.reader) return undefined;
    this.#joining ??= this.#meet().finally(() => (this.#joining = undefined));
    return this.#joining;
  }

  async #meet() {
    const made = await this.#call('POST', '/reader', null, '', 'include');
    if (!made.ok) return made;
    const seen = await this.#call('GET', '/reader', null, '', 'include');
    if (!seen.ok) return seen;
    if (seen.known) {
      this.reader = 'cookie';
      return undefined;
    }
    const own = await this.#call('POST', '/reader?store=element');
    if (!own.ok) return own;
    this.reader = own.token;
    return undefined;
  }

  get reader() {
    return storage.read(this.readerKey);
  }

  set reader(reader) {
    storage.write(this.readerKey, reader);
  }

  /** A fresh answer that does not know us: the cookie or token has gone. */
  #checkReader(state) {
    if (this.reader && state.hearted === undefined && !state.stale) this.reader = null;
  }

  async #call(method, path, body, user, credentials) {
    const { reader, isOurs } = this;
    const headers = {};
    if (!user && reader && reader !== 'cookie') headers['Heart-Reader'] = reader;
    if (body) {
      headers['Content-Type'] = 'application/json';
      body = JSON.stringify(user ? { ...body, user_id: user } : body);
    }
    credentials ??= !user && (isOurs || reader === 'cookie') ? 'include' : 'omit';
    try {
      const response = await fetch(`${this.api}/api/v1${path}`, {
        method, headers, body, credentials, keepalive: method !== 'GET', signal: AbortSignal.timeout(10_000),
      });
      const { ok, status } = response;
      const answer = await response.json().catch(() => (ok ? Promise.reject() : {}));
      return { code: `http-${status}`, ...answer, ok, status, wait: Number(response.headers.get('Retry-After')) };
    } catch {
      return { ok: false, status: 0, code: 'network' };
    }
  }

  // One socket for all buttons.

  #follow() {
    const shown = document.hidden ? [] : [...this.#hearts.values()].filter((heart) => heart.isShown);
    const wanted = new Map(shown.slice(0, liveLimit).map((heart) => [heart.target, heart.version]));
    if (document.hidden) this.#hangUp();
    else if (!this.#socket && !this.#retry && wanted.size) this.#connect();
    if (this.#socket?.readyState !== WebSocket.OPEN) return;
    const gone = [...this.#live].filter((target) => !wanted.has(target));
    const come = [...wanted.keys()].filter((target) => !this.#live.has(target));
    if (gone.length) this.#send({ unsubscribe: gone });
    if (come.length) {
      const known = come.filter((target) => wanted.get(target) >= 0);
      this.#send({ subscribe: come, since: Object.fromEntries(known.map((target) => [target, wanted.get(target)])) });
    }
    this.#live = new Set(wanted.keys());
  }

  #connect() {
    const socket = new WebSocket(`${this.api.replace(/^http/, 'ws')}/api/v1/live`);
    this.#socket = socket;
    this.#live.clear();
    socket.onopen = () => this.#follow();
    socket.onmessage = ({ data }) => {
      this.#failures = 0;
      this.#hear(JSON.parse(data));
    };
    socket.onclose = () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      // Where there is no socket to be had, ask ever more rarely.
      const longest = this.#failures < 8 ? 10_000 : 300_000;
      this.#retry = setTimeout(() => {
        this.#retry = undefined;
        this.#follow();
      }, backoff(this.#failures++, longest));
    };
  }

  #hangUp() {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.close();
  }

  #send(message) {
    this.#socket.send(JSON.stringify(message));
  }

  #hear({ updates = [] }) {
    const news = new Map(updates.map((update) => [update.target_id, update]));
    for (const heart of this.#hearts.values()) {
      if (news.has(heart.target)) heart.learn(news.get(heart.target));
    }
  }
}

/** Refusals that may be over by the next try. */
const isPassing = ({ status }) => [0, 429, 500, 502, 503, 504].includes(status);

const waitOf = ({ wait }, tries) => (wait > 0 ? wait * 1000 + Math.random() * 500 : backoff(tries));

// A page must not need its visitors' tracking marks to know itself.
const tracking = /^(utm_\w+|fbclid|gclid|dclid|msclkid|mc_[ce]id|igshid|ref_src)$/;

const pageAddress = () => {
  const canonical = document.querySelector('link[rel~=canonical]')?.href;
  const url = new URL(canonical || location.href);
  url.hash = '';
  if (!canonical) {
    for (const name of [...url.searchParams.keys()]) if (tracking.test(name)) url.searchParams.delete(name);
  }
  return url.href;
};

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
  :host {
    --on: var(--heart-color, light-dark(#d6174f, #ff6b8e));
    --line: color-mix(in srgb, currentColor 22%, transparent);
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
    border: 1px solid var(--heart-border, var(--line));
    border-radius: var(--heart-radius, 9em);
    background: var(--heart-background, transparent);
    color: var(--heart-text, inherit);
    font-variant-numeric: tabular-nums;
    cursor: pointer;
    user-select: none;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
    transition: border-color .2s, background-color .2s, scale .12s;
  }
  button:hover { border-color: var(--on) }
  button:active { scale: .96 }
  button:focus-visible { outline: 2px solid var(--on); outline-offset: 2px }
  button[aria-pressed=true] {
    border-color: var(--heart-border, color-mix(in srgb, var(--on) 45%, transparent));
    background: var(--heart-background, color-mix(in srgb, var(--on) 10%, transparent));
  }
  .heart { position: relative; display: grid; font-size: var(--heart-size, 1.25em) }
  svg {
    inline-size: 1em;
    block-size: 1em;
    overflow: visible;
    fill: transparent;
    stroke: currentColor;
    stroke-width: 1.9;
    stroke-linejoin: round;
    transition: fill .2s, stroke .2s;
  }
  button:hover svg { stroke: var(--on) }
  [aria-pressed=true] svg { fill: var(--on); stroke: var(--on) }
  .heart::after {
    content: '';
    position: absolute;
    inset: 50%;
    inline-size: .16em;
    block-size: .16em;
    margin: -.08em;
    border-radius: 50%;
    opacity: 0;
    pointer-events: none;
    color: var(--on);
    box-shadow: 0 -1em, .87em -.5em #ffb13d, .87em .5em, 0 1em #ffb13d, -.87em .5em, -.87em -.5em #ffb13d;
  }
  .count { min-inline-size: 1ch; text-align: center }
  .count:empty { display: none }
  .status { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap }
  @media (pointer: coarse) { button { min-block-size: 44px } }
  @media (forced-colors: active) {
    button { border-color: ButtonText }
    svg { stroke: ButtonText }
    [aria-pressed=true] svg { fill: Highlight; stroke: Highlight }
  }
  @media (prefers-reduced-motion: reduce) { button, svg { transition: none } }
  @media (prefers-reduced-motion: no-preference) {
    .pop svg { animation: pop .45s cubic-bezier(.2, .9, .3, 1.4) }
    .pop::after { animation: burst .6s ease-out }
    @keyframes pop { 0% { scale: .5 } 45% { scale: 1.3 } }
    @keyframes burst { 0% { opacity: 1; scale: .3 } 60% { opacity: 1 } 100% { opacity: 0; scale: 1.15 } }
  }
`);

const shapes = 'http://www.w3.org/2000/svg';

// Not innerHTML: a page may demand trusted types.
const make = (tag, attributes, ...children) => {
  const isShape = tag === 'svg' || tag === 'path';
  const element = isShape ? document.createElementNS(shapes, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};

const onScreen = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) target.isOnScreen = isIntersecting;
});

export class HeartButton extends HTMLElement {
  static observedAttributes = ['api', 'target-id', 'user-id', 'label', 'label-on', 'lang'];

  #heart;
  #isOnScreen = false;
  #button;
  #shape;
  #count;
  #status;
  #internals = this.attachInternals();

  constructor() {
    super();
    const path = make('path', { d: 'M12 20.6C7 16.7 2.6 13.2 2.6 8.6 2.6 5.6 4.9 3.4 7.7 3.4c1.8 0 3.4.9 4.3 2.4.9-1.5 2.5-2.4 4.3-2.4 2.8 0 5.1 2.2 5.1 5.2 0 4.6-4.4 8.1-9.4 12z' });
    this.#shape = make('span', { class: 'heart', part: 'heart' }, make('svg', { viewBox: '0 0 24 24', 'aria-hidden': 'true' }, path));
    this.#count = make('span', { class: 'count', part: 'count', 'aria-hidden': 'true' });
    this.#status = make('span', { class: 'status', role: 'status' });
    this.#button = make('button', { type: 'button', part: 'button', 'aria-pressed': 'false' }, this.#shape, this.#count);
    this.#button.onclick = () => this.toggle();
    this.#shape.onanimationend = () => this.#shape.classList.remove('pop');
    // Without a slot, what stands in the element is only seen where this script does not run.
    const root = this.attachShadow({ mode: 'open', delegatesFocus: true });
    root.adoptedStyleSheets = [sheet];
    root.append(this.#button, this.#status);
  }

  /** What is loved. */
  get targetId() {
    return this.getAttribute('target-id') || pageAddress();
  }

  /** How many love it, as shown; undefined until that is known. */
  get count() {
    return this.#heart?.total;
  }

  /** Whether this reader does, as shown. */
  get hearted() {
    return this.#heart?.isOn ?? false;
  }

  get isOnScreen() {
    return this.#isOnScreen;
  }

  set isOnScreen(isOnScreen) {
    this.#isOnScreen = isOnScreen;
    this.#heart?.server.schedule();
  }

  connectedCallback() {
    onScreen.observe(this);
    this.#bind();
  }

  disconnectedCallback() {
    onScreen.unobserve(this);
    this.isOnScreen = false;
    this.#unbind();
  }

  attributeChangedCallback(name) {
    if (!this.isConnected) return;
    if (name === 'lang' || name.startsWith('label')) this.render();
    else this.#bind();
  }

  /** Gives the heart, or takes it back. */
  toggle() {
    if (!this.#heart) return;
    this.#say('');
    this.#heart.toggle();
    if (!this.hearted) return;
    this.#shape.classList.remove('pop');
    this.#shape.getBoundingClientRect();
    this.#shape.classList.add('pop');
  }

  tell(type, detail) {
    if (type === 'heart-error') this.#explain(detail);
    this.render();
    this.dispatchEvent(new CustomEvent(type, { detail, bubbles: true, composed: true }));
  }

  render() {
    const { count, hearted } = this;
    const lang = this.#lang;
    const text = this.#texts(lang);
    const label = (hearted && this.getAttribute('label-on')) || this.getAttribute('label') || text.label;
    this.#button.setAttribute('aria-pressed', hearted);
    this.#internals.states?.[hearted ? 'add' : 'delete']('hearted');
    this.#count.textContent = count === undefined ? '' : numberOf(lang, count, { notation: 'compact', maximumFractionDigits: 1 });
    this.#button.setAttribute('aria-label', count === undefined ? label : `${label}, ${text.hearts(count, numberOf(lang, count))}`);
  }

  get #lang() {
    return this.closest('[lang]')?.lang || navigator.language;
  }

  #texts(lang) {
    return texts[lang.toLowerCase().split('-')[0]] ?? texts.en;
  }

  #bind() {
    this.#unbind();
    const target = this.targetId;
    const bytes = new TextEncoder().encode(target).length;
    if (bytes <= 256) {
      this.#heart = this.#server.heart(target, this.getAttribute('user-id') ?? '');
      this.#heart.views.add(this);
      this.#heart.server.read(this.#heart);
    }
    this.render();
    if (!this.#heart) this.tell('heart-error', { targetId: target, code: 'target-too-long', status: 0 });
  }

  #unbind() {
    this.#heart?.views.delete(this);
    this.#heart = undefined;
  }

  get #server() {
    const api = this.getAttribute('api');
    return Server.at(api ? new URL(api, document.baseURI).href.replace(/\/+$/, '') : home);
  }

  #explain({ code, status }) {
    const text = this.#texts(this.#lang);
    this.#say(code === 'offline' ? text.offline : status === 429 ? text.busy : status === 403 ? text.denied : text.failed);
  }

  #say(message) {
    this.#status.textContent = message;
    if (message) this.#button.title = message;
    else this.#button.removeAttribute('title');
  }
}

const numberOf = (lang, number, options) => {
  try {
    return new Intl.NumberFormat(lang, options).format(number);
  } catch {
    return String(number); // not a language
  }
};

const resume = () => {
  for (const server of Server.all) server.resume();
};

addEventListener('online', resume);
document.addEventListener('visibilitychange', () => {
  if (!document.hidden) return resume();
  for (const server of Server.all) server.schedule();
});

if (!customElements.get('heart-button')) customElements.define('heart-button', HeartButton);
