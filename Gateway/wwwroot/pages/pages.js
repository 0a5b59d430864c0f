// What the pages do beyond the button: the other window, the snippets, the tabs, and a kind word when a heart is refused.

const find = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const isCalm = matchMedia('(prefers-reduced-motion: reduce)');
const move = (element, frames, options) => (isCalm.matches ? undefined : element.animate(frames, options));

// Taps

const taps = new Map();

// Before the button hears of the tap: offline it fails at once.
document.addEventListener('click', (event) => {
  const button = event.target.closest('heart-button');
  if (button) taps.set(button.targetId, performance.now());
}, { capture: true });

/** Milliseconds since the reader's own tap on a target, told once; undefined when it was somebody else's. */
const sinceTap = (target) => {
  const at = taps.get(target);
  taps.delete(target);
  return at === undefined ? undefined : performance.now() - at;
};

// Refusals

const toast = find('[data-toast]');
let toastTimer;

document.addEventListener('heart-error', ({ detail }) => {
  // Reads that fail are no matter of the reader's; the button asks again by itself.
  if (!taps.delete(detail.targetId)) return;
  const { quota, offline, later, other } = toast.dataset;
  toast.textContent = detail.code === 'offline' ? offline : detail.kept ? later : detail.status === 429 ? quota : other;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => (toast.textContent = ''), 8000);
});

// A real second window, beside this one where there is room

for (const link of all('[data-window]')) {
  link.addEventListener('click', (event) => {
    if (screen.availWidth < 900 || event.ctrlKey || event.metaKey || event.shiftKey) return;
    if (window.open(link.href, 'second', 'popup,width=460,height=820')) event.preventDefault();
  });
}

// The start page: one's own window

const first = find('[data-first]');

if (first) {
  const say = find('[data-say]');
  let wasHearted = false;
  first.addEventListener('heart-change', ({ detail: { hearted } }) => {
    if (hearted === wasHearted) return;
    wasHearted = hearted;
    say.textContent = hearted ? say.dataset.given : say.dataset.withdrawn;
  });
  first.addEventListener('click', () => {
    for (const dot of all('[data-wire] b')) {
      const along = getComputedStyle(dot).getPropertyValue('--along').trim() === 'y' ? 'top' : 'left';
      move(dot, [{ [along]: '0%', opacity: 0 }, { opacity: 1, offset: 0.2 }, { opacity: 1, offset: 0.8 }, { [along]: '100%', opacity: 0 }], { duration: 650, easing: 'ease-in-out' });
    }
  });
}

// The other window: knows nothing but what its own socket is told

/** A heart of grains, filled from the bottom. */
class Grains {
  #dots = [];
  #filled = 0;

  constructor(svg) {
    const [size, step] = [92, 16.5];
    for (let row = 0, y = -1; y < 1.3; row++, y += (step * 0.866) / size) {
      for (let x = -1.2 + (row % 2) * (step / size / 2); x < 1.2; x += step / size) {
        if ((x * x + y * y - 1) ** 3 - x * x * y ** 3 < 0) this.#dots.push([x * size, -y * size]);
      }
    }
    // The rows start at the left edge: centred, the heart is even.
    const middle = (Math.min(...this.#dots.map(([x]) => x)) + Math.max(...this.#dots.map(([x]) => x))) / 2;
    this.#dots = this.#dots.map(([x, y]) => {
      const dot = document.createElementNS('http://www.w3.org/2000/svg', 'circle');
      dot.setAttribute('cx', (x - middle).toFixed(1));
      dot.setAttribute('cy', y.toFixed(1));
      dot.setAttribute('r', '6');
      svg.append(dot);
      return dot;
    });
  }

  /** How many hearts a grain stands for. */
  show(count) {
    let scale = 1;
    for (let step = 0; count / scale > this.#dots.length; step++) scale *= [2, 2.5, 2][step % 3];
    const filled = Math.ceil(count / scale);
    this.#dots.forEach((dot, index) => dot.classList.toggle('on', index < filled));
    for (const dot of this.#dots.slice(this.#filled, filled).slice(-12)) {
      move(dot, [{ transform: 'translateY(-70px)', opacity: 0 }, { transform: 'none', opacity: 1 }], { duration: 520, easing: 'cubic-bezier(.3, 1.4, .5, 1)' });
    }
    this.#filled = filled;
    return scale;
  }
}

const second = find('[data-second]');

if (second) {
  const target = 'welcome';
  const grains = new Grains(find('[data-grains]'));
  const [countText, news, note] = [find('[data-count]'), find('[data-news]'), find('[data-scale]')];
  const number = new Intl.NumberFormat(document.documentElement.lang);
  let state;
  let failures = 0;

  const hear = ({ count, version }) => {
    const before = state;
    if (before && version <= before.version) return;
    state = { count, version };
    countText.textContent = number.format(count);
    const scale = grains.show(count);
    if (scale > 1) note.textContent = second.dataset.grain.replace('{n}', number.format(scale));
    if (!before) {
      news.textContent = second.dataset.waiting;
      return;
    }
    const change = count - before.count;
    const [millis, isBack] = [sinceTap(target), change < 0];
    const { mine, mineBack, theirs, theirsBack } = second.dataset;
    const words = millis === undefined ? (isBack ? theirsBack : theirs) : (isBack ? mineBack : mine).replace('{ms}', number.format(Math.round(millis)));
    news.textContent = `${isBack ? '−' : '+'}${Math.abs(change)} · ${words}`;
    news.classList.add('fresh');
    move(countText, [{ transform: 'scale(1)' }, { transform: 'scale(1.25)' }, { transform: 'scale(1)' }], { duration: 400, easing: 'ease-out' });
  };

  const connect = () => {
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/live`);
    socket.onopen = () => {
      socket.send(JSON.stringify({ subscribe: [target] }));
      if (state) news.textContent = second.dataset.waiting;
    };
    socket.onmessage = ({ data }) => {
      failures = 0;
      for (const update of JSON.parse(data).updates ?? []) hear(update);
    };
    socket.onclose = () => {
      news.textContent = second.dataset.lost;
      setTimeout(connect, Math.random() * Math.min(10_000, 500 * 2 ** failures++));
    };
  };

  connect();
}

// The snippets

const choose = find('[data-choose]');

const writtenAs = {
  html: (text) => text.replace(/&/g, '&amp;').replace(/"/g, '&quot;').replace(/</g, '&lt;'),
  url: encodeURIComponent,
  shell: (text) => JSON.stringify(text).slice(1, -1).replace(/'/g, `'\\''`),
  bare: (text) => text.replace(/^#/, ''),
};

if (choose) {
  const preview = find('[data-preview] heart-button');
  let timer;

  const apply = () => {
    const values = Object.fromEntries(new FormData(choose));
    values.style = [values.color && `--heart-color: ${values.color}`, values.size && `font-size: ${values.size}`].filter(Boolean).join('; ');
    values.hex = values.color.startsWith('#') ? values.color : '';
    for (const part of all('[data-when]')) part.hidden = !values[part.dataset.when];
    for (const hole of all('[data-fill]')) hole.textContent = writtenAs[hole.dataset.as ?? 'html'](values[hole.dataset.fill] || hole.dataset.else || '');
    preview.style.setProperty('--heart-color', values.color || 'initial');
    preview.style.fontSize = values.size;
    if (values.language) preview.lang = values.language;
    else preview.removeAttribute('lang');
    clearTimeout(timer);
    timer = setTimeout(() => preview.getAttribute('target-id') === values.target || preview.setAttribute('target-id', values.target), 300);
  };

  choose.addEventListener('input', apply);
  choose.addEventListener('submit', (event) => event.preventDefault());
  apply(); // a browser that comes back keeps what was chosen
}

for (const button of all('[data-copy]')) {
  const label = button.textContent;
  let timer;
  button.addEventListener('click', async () => {
    const code = find('code', button.parentElement);
    const copy = code.cloneNode(true);
    for (const part of all('[hidden]', copy)) part.remove();
    let text = button.dataset.copied;
    try {
      await navigator.clipboard.writeText(copy.textContent);
    } catch {
      getSelection().selectAllChildren(code);
      text = button.dataset.failed;
    }
    button.textContent = text;
    button.classList.add('done');
    clearTimeout(timer);
    timer = setTimeout(() => {
      button.textContent = label;
      button.classList.remove('done');
    }, 2000);
  });
}

// Tabs, as the ARIA practices describe them

for (const group of all('[data-tabs]')) {
  const list = find('[role=tablist]', group);
  const tabs = all('[role=tab]', list);
  const panelOf = (tab) => document.getElementById(tab.getAttribute('aria-controls'));

  const select = (chosen) => {
    for (const tab of tabs) {
      const isChosen = tab === chosen;
      tab.setAttribute('aria-selected', isChosen);
      tab.tabIndex = isChosen ? 0 : -1;
      panelOf(tab).hidden = !isChosen;
    }
  };

  for (const tab of tabs) {
    const panel = panelOf(tab);
    panel.setAttribute('role', 'tabpanel');
    panel.setAttribute('aria-labelledby', tab.id);
    panel.tabIndex = 0;
    tab.addEventListener('click', () => select(tab));
  }

  list.addEventListener('keydown', (event) => {
    const at = tabs.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const tab = tabs[(to + tabs.length) % tabs.length];
    select(tab);
    tab.focus();
  });

  list.hidden = false;
  group.classList.add('tabbed');
  select(tabs[0]);
}

// The feed: all its hearts together

const total = find('[data-total]');

if (total) {
  const number = new Intl.NumberFormat(document.documentElement.lang);
  document.addEventListener('heart-change', () => {
    total.textContent = number.format(all('heart-button').reduce((sum, button) => sum + (button.count ?? 0), 0));
  });
}
