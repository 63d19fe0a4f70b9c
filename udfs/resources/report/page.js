
'use strict';
(function () {
  const at = (id) => document.getElementById(id);
  const index = JSON.parse(at('index').textContent);
  const grid = at('grid');
  const details = at('details');
  const count = index.id.length;
  const number = new Intl.NumberFormat('en-US');
  const OVERSCAN = 2; // rows of tiles above and below the window
  const CHUNKS = 40; // in memory
  const TEXT = 64; // height of a tile below its picture

  const statusOf = (i) => index.statuses[index.status[i]];
  const nameOf = (i) => index.id[i] + (index.variant[i] ? ' · ' + index.variant[i] : '');
  const fold = (text) => text.toLowerCase();
  // What the search looks at. Built when it is first used: the page is painted before.
  let texts = null;
  const searched = () => texts || (texts = index.id.map((id, i) =>
    fold(id + '\n' + index.prompt[i] + '\n' + (index.text[i] || ''))));

  function element(tag, style, text) {
    const made = document.createElement(tag);
    if (style) made.className = style;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  // Chunks: small copies and parameters of the pictures from n * index.chunk on.
  const chunks = new Map();
  const waiting = new Map();
  const unloadable = new Set();

  function keep(n, pictures) {
    chunks.delete(n);
    chunks.set(n, pictures);
    if (chunks.size > CHUNKS) chunks.delete(chunks.keys().next().value);
    const calls = waiting.get(n) || [];
    waiting.delete(n);
    calls.forEach((call) => call(pictures));
  }
  window.lightmill = keep;

  function load(n, call) {
    const known = chunks.get(n);
    if (known || unloadable.has(n)) return call(known || null);
    if (waiting.has(n)) return void waiting.get(n).push(call);
    waiting.set(n, [call]);
    const inside = document.querySelector('script[data-chunk="' + n + '"]');
    if (inside) return keep(n, JSON.parse(inside.textContent));
    const script = document.createElement('script');
    script.src = './' + grid.dataset.directory.split('/').map(encodeURIComponent).join('/') +
      '/pictures-' + String(n).padStart(3, '0') + '.js';
    script.onload = () => script.remove();
    script.onerror = () => {
      script.remove();
      unloadable.add(n);
      at('missing').hidden = false;
      const calls = waiting.get(n) || [];
      waiting.delete(n);
      calls.forEach((each) => each(null));
    };
    document.head.append(script);
  }
  const picture = (i, call) => load(Math.floor(i / index.chunk), (pictures) =>
    call(pictures ? pictures[i % index.chunk] : null));

  const base64 = /^[A-Za-z0-9+/]+=*$/;
  const thumbnail = (known) => known && base64.test(known.thumbnail || '')
    ? 'data:image/webp;base64,' + known.thumbnail : null;
  const file = (i) => index.path[i]
    ? './' + index.path[i].split('/').map(encodeURIComponent).join('/') : null;

  // The pictures that match, in the order in which they are shown.
  let shown = index.id.map((id, i) => i);
  let status = '';
  let reason = -1;

  function filter() {
    const words = fold(at('search').value).split(/\s+/).filter(Boolean);
    const wanted = index.statuses.indexOf(status);
    const all = words.length ? searched() : null;
    shown = [];
    for (let i = 0; i < count; i++) {
      if (wanted >= 0 && index.status[i] !== wanted) continue;
      if (reason >= 0 && index.reason[i] !== reason) continue;
      if (all && !words.every((word) => all[i].includes(word))) continue;
      shown.push(i);
    }
    if (at('order').value === 'slowest') {
      shown.sort((a, b) => (index.seconds[b] || 0) - (index.seconds[a] || 0));
    }
    at('count').textContent = shown.length === count
      ? number.format(count) + ' shown'
      : number.format(shown.length) + ' of ' + number.format(count);
    at('none').hidden = shown.length > 0;
    at('reason').hidden = reason < 0;
    at('reason').firstElementChild.textContent = reason < 0 ? '' : 'Only ' + index.reasons[reason];
    document.querySelectorAll('.filters button').forEach((button) =>
      button.setAttribute('aria-pressed', String(button.dataset.status === status)));
    focus = Math.max(0, Math.min(focus, shown.length - 1));
    clear();
    draw();
  }

  // The grid: only the tiles near the window are in the document.
  const tiles = new Map();
  let focus = 0;
  let layout = null;

  function measure() {
    const width = grid.clientWidth;
    const gap = width < 500 ? 10 : 14;
    const columns = Math.max(2, Math.floor((width + gap) / (width < 500 ? 150 + gap : 176 + gap)));
    const side = (width - gap * (columns - 1)) / columns;
    layout = { columns, gap, side, height: side + TEXT + 2 };
  }

  function clear() {
    tiles.forEach((tile) => tile.remove());
    tiles.clear();
  }

  function draw() {
    if (!layout) measure();
    const { columns, gap, side, height } = layout;
    const rows = Math.ceil(shown.length / columns);
    grid.style.height = Math.max(0, rows * (height + gap) - gap) + 'px';
    const top = grid.getBoundingClientRect().top;
    const first = Math.max(0, Math.floor(-top / (height + gap)) - OVERSCAN);
    const last = Math.min(rows - 1, Math.floor((innerHeight - top) / (height + gap)) + OVERSCAN);
    const from = first * columns;
    const to = Math.min(shown.length, (last + 1) * columns);
    tiles.forEach((tile, place) => {
      if ((place < from || place >= to) && !tile.contains(document.activeElement)) {
        tile.remove();
        tiles.delete(place);
      }
    });
    for (let place = from; place < to; place++) {
      if (tiles.has(place)) continue;
      const tile = make(place);
      tile.style.width = side + 'px';
      tile.style.height = height + 'px';
      tile.querySelector('.picture').style.height = side + 'px';
      tile.style.transform = 'translate(' + (place % columns) * (side + gap) + 'px,' +
        Math.floor(place / columns) * (height + gap) + 'px)';
      tiles.set(place, tile);
      // In the order of the pictures, so that keys and screen readers meet them in it.
      const next = [...grid.children].find((other) => Number(other.dataset.place) > place);
      grid.insertBefore(tile, next || null);
    }
  }

  function make(place) {
    const i = shown[place];
    const tile = element('div', 'tile ' + statusOf(i));
    tile.dataset.place = place;
    tile.setAttribute('role', 'listitem');
    tile.setAttribute('aria-setsize', shown.length);
    tile.setAttribute('aria-posinset', place + 1);
    const button = element('button');
    button.type = 'button';
    button.tabIndex = place === focus ? 0 : -1;
    button.setAttribute('aria-label', nameOf(i) + ', ' + statusOf(i) + ': ' +
      (index.text[i] || index.prompt[i]).slice(0, 200));
    const frame = element('span', 'picture');
    if (file(i) || index.reason[i] < 0 || index.statuses[index.status[i]] === 'reused' ||
        index.statuses[index.status[i]] === 'generated') {
      const image = element('img');
      image.alt = index.prompt[i].slice(0, 200) || nameOf(i);
      image.decoding = 'async';
      show(image, i);
      frame.append(image);
    } else {
      frame.append(why(i));
    }
    const name = element('span', 'name');
    name.append(element('i'), element('b', '', nameOf(i) || 'row without id'));
    name.lastChild.dir = 'auto';
    const prompt = element('span', 'prompt', index.prompt[i]);
    prompt.dir = 'auto';
    button.append(frame, name, prompt);
    tile.append(button);
    return tile;
  }

  function show(image, i) {
    picture(i, (known) => {
      const source = thumbnail(known) || file(i);
      if (source) image.src = source;
    });
  }

  function why(i) {
    const box = element('span', 'why ' + statusOf(i));
    const text = element('span', '', index.text[i] || 'not drawn yet; run again');
    text.dir = 'auto';
    box.append(element('b', '', statusOf(i)), text);
    return box;
  }

  let drawing = 0;
  const redraw = () => {
    if (!drawing) drawing = requestAnimationFrame(() => { drawing = 0; draw(); });
  };
  addEventListener('scroll', redraw, { passive: true });
  new ResizeObserver(() => { measure(); clear(); draw(); }).observe(grid.parentElement);

  function move(place) {
    if (place < 0 || place >= shown.length) return;
    const { columns, height, gap } = layout;
    const before = tiles.get(focus);
    if (before) before.firstElementChild.tabIndex = -1;
    focus = place;
    const top = grid.getBoundingClientRect().top + Math.floor(place / columns) * (height + gap);
    const bar = document.querySelector('.tools').offsetHeight + 8;
    if (top < bar) scrollBy(0, top - bar);
    else if (top + height > innerHeight) scrollBy(0, top + height - innerHeight + 8);
    draw();
    const button = tiles.get(place).firstElementChild;
    button.tabIndex = 0;
    button.focus({ preventScroll: true });
  }

  grid.addEventListener('keydown', (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -layout.columns,
      ArrowDown: layout.columns, Home: -focus, End: shown.length - 1 - focus };
    if (event.key in steps) {
      event.preventDefault();
      move(focus + steps[event.key]);
    }
  });
  grid.addEventListener('click', (event) => {
    const tile = event.target.closest('.tile');
    if (tile) open(Number(tile.dataset.place));
  });

  // Details of one picture.
  const cell = (value) => Array.isArray(value) ? value[0] : value;
  const quoted = (text) => '"' + String(text).replaceAll('"', '""') + '"';
  const csv = (row) => Object.keys(row).map(quoted).join(',') + '\r\n' +
    Object.values(row).map(cell).map(quoted).join(',') + '\r\n';
  const json = (row) => '{' + Object.entries(row).map(([name, value]) =>
    JSON.stringify(name) + ':' + (Array.isArray(value) ? value[0] : JSON.stringify(value)))
    .join(',') + '}\n';

  async function copy(text, said) {
    try {
      await navigator.clipboard.writeText(text);
    } catch (refused) {
      const area = element('textarea');
      area.value = text;
      details.append(area);
      area.select();
      document.execCommand('copy');
      area.remove();
    }
    said.textContent = 'copied';
  }

  function list(values) {
    const made = element('dl');
    Object.entries(values).forEach(([name, value]) => {
      const text = element('dd', '', cell(value));
      text.dir = 'auto';
      made.append(element('dt', '', name), text);
    });
    return made;
  }

  function action(label, press) {
    const button = element('button', '', label);
    button.type = 'button';
    button.onclick = press;
    return button;
  }

  function open(place) {
    const i = shown[place];
    focus = place;
    const head = element('div', 'head');
    const title = element('h2', '', nameOf(i) || 'row without id');
    title.dir = 'auto';
    const before = action('Previous', () => turn(place - 1));
    const after = action('Next', () => turn(place + 1));
    before.disabled = place === 0;
    after.disabled = place === shown.length - 1;
    head.append(title, element('span', 'status ' + statusOf(i), statusOf(i)), before, after,
      action('Close', () => details.close()));
    const body = element('div', 'body');
    const large = element('div', 'large');
    const side = element('div', 'side');
    body.append(large, side);
    details.replaceChildren(head, body);
    if (!details.open) details.showModal();
    picture(i, (known) => {
      if (shown[focus] !== i || !details.open) return;
      const small = thumbnail(known);
      const source = file(i) || small;
      if (source) {
        const image = element('img');
        image.alt = index.prompt[i].slice(0, 200) || nameOf(i);
        if (index.width[i]) { image.width = index.width[i]; image.height = index.height[i]; }
        image.onerror = () => {
          image.onerror = null;
          if (small) { image.removeAttribute('width'); image.removeAttribute('height'); image.src = small; }
        };
        image.src = source;
        large.append(image);
      } else {
        large.append(why(i));
      }
      const prompt = element('p', '', known && known.row.prompt || index.prompt[i]);
      prompt.dir = 'auto';
      side.append(prompt);
      if (index.text[i]) {
        const text = element('p', 'reasontext ' + (statusOf(i) === 'generated' ? 'flagged' : statusOf(i)), index.text[i]);
        text.dir = 'auto';
        side.append(text);
      }
      if (!known) return;
      const said = element('output');
      const actions = element('div', 'actions');
      if (known.cut) {
        actions.append(element('span', '', 'Shortened here: ' + known.cut.join(', ') +
          '. The manifest has all of it.'));
      } else {
        actions.append(action('Copy as CSV', () => copy(csv(known.row), said)),
          action('Copy as JSON', () => copy(json(known.row), said)));
      }
      if (file(i)) {
        const link = element('a', 'button', 'Open image');
        link.href = file(i);
        link.target = '_blank';
        link.rel = 'noopener';
        actions.append(link);
      }
      actions.append(said);
      const { prompt: ignored, ...row } = known.row;
      side.append(actions, element('h3', '', 'Table row'), list(row),
        element('h3', '', 'Manifest'), list(known.facts));
    });
  }

  function turn(place) {
    if (place >= 0 && place < shown.length) open(place);
  }

  details.addEventListener('keydown', (event) => {
    if (event.key === 'ArrowLeft') turn(focus - 1);
    if (event.key === 'ArrowRight') turn(focus + 1);
  });
  details.addEventListener('click', (event) => {
    if (event.target === details) details.close();
  });
  details.addEventListener('close', () => move(focus));

  // Filters.
  document.querySelector('.filters').addEventListener('click', (event) => {
    if (event.target.dataset.status === undefined) return;
    status = event.target.dataset.status;
    filter();
  });
  document.querySelectorAll('[data-reason]').forEach((button) => {
    button.addEventListener('click', () => {
      reason = Number(button.dataset.reason);
      status = '';
      filter();
      document.querySelector('main').scrollIntoView();
    });
  });
  at('reason').lastElementChild.addEventListener('click', () => { reason = -1; filter(); });
  at('search').addEventListener('input', filter);
  at('order').addEventListener('change', filter);
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !details.open && event.target.tagName !== 'INPUT') {
      event.preventDefault();
      at('search').focus();
    }
  });

  filter();
})();
