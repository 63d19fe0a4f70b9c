'use strict';
(function () {
  const at = (id) => document.getElementById(id);
  const form = at('form');
  const results = at('results');
  let setup = null;
  let row = {}; // cells of the example row
  let active = null; // the request that is being drawn

  function element(tag, style, text) {
    const made = document.createElement(tag);
    if (style) made.className = style;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  const post = (name, body, more) => fetch(name, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), ...more });

  function complain(message) {
    at('error').hidden = !message;
    at('error').textContent = message || '';
  }

  // Template and example row.
  const placeholders = () => [...new Set([...at('template').value.matchAll(/\{([^{}:]+)(?::\d+)?\}/g)]
    .map((match) => match[1].trim()))];

  function showCells() {
    at('cells').replaceChildren(...placeholders().map((name) => {
      const field = element('div', 'field');
      const label = element('label', '', name);
      const input = element('input');
      input.id = 'cell-' + name;
      label.htmlFor = input.id;
      const known = Object.keys(row).find((key) => key.toLowerCase() === name.toLowerCase());
      input.value = known ? row[known] : '';
      input.addEventListener('input', () => { row[known || name] = input.value; });
      field.append(label, input);
      return field;
    }));
    at('prompt').disabled = placeholders().length > 0;
    at('prompt').placeholder = at('prompt').disabled ? 'made by the template' : '';
  }

  function useRow(cells) {
    row = { ...cells };
    form.querySelectorAll('#form > * [name]').forEach((input) => {
      if (!input.closest('#other') && cells[input.name] !== undefined) input.value = cells[input.name];
    });
    showCells();
  }

  at('template').addEventListener('input', showCells);
  at('rows').addEventListener('change', () => useRow(setup.rows[at('rows').value]));
  at('use-row').addEventListener('click', async () => {
    const answer = await post('row', { text: at('paste').value });
    const cells = await answer.json();
    if (answer.ok) useRow(cells);
    complain(answer.ok ? '' : cells.message);
  });
  at('compare').addEventListener('change', () => { at('other').hidden = !at('compare').checked; });

  // Requests.
  const values = (inputs) => Object.fromEntries([...inputs]
    .filter((input) => input.value.trim() && !input.disabled).map((input) => [input.name, input.value]));

  function settings() {
    const own = form.querySelectorAll('[name]');
    const first = values([...own].filter((input) => !input.closest('#other')));
    const cells = {};
    if (at('template').value.trim()) { // else the prompt is not that of the example row
      const named = new Set([...own].map((input) => input.name));
      Object.entries(row).forEach(([name, value]) => {
        if (!named.has(name) && name !== 'id') cells[name] = value;
      });
      placeholders().forEach((name) => {
        const input = at('cell-' + name);
        const known = Object.keys(row).find((key) => key.toLowerCase() === name.toLowerCase()) || name;
        cells[known] = input.value;
      });
    }
    if (!first.seed) first.seed = String(Math.floor(Math.random() * 2 ** 32));
    const a = { ...cells, ...first };
    return at('compare').checked
      ? [a, { ...a, ...values(at('other').querySelectorAll('[name]')) }] : [a];
  }

  form.addEventListener('submit', (event) => { event.preventDefault(); draw(); });
  form.addEventListener('keydown', (event) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) { event.preventDefault(); draw(); }
  });
  at('cancel').addEventListener('click', () => {
    if (active) post('cancel', { id: active });
  });

  async function draw() {
    if (active) return;
    complain('');
    const id = crypto.randomUUID ? crypto.randomUUID() : String(Math.random());
    const request = { id, settings: settings(), template: at('template').value };
    busy(id);
    try {
      const answer = await post('draw', request);
      if (!answer.ok) return complain((await answer.json()).message);
      const run = new Run(request);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let rest = '';
      for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
        const lines = (rest + value).split('\n');
        rest = lines.pop();
        lines.forEach((line) => run.take(JSON.parse(line)));
      }
      run.end();
    } catch (lost) {
      complain('The playground does not answer any more: ' + lost.message);
    } finally {
      busy(null);
    }
  }

  function busy(id) {
    active = id;
    at('draw').disabled = id !== null;
    at('cancel').disabled = id === null;
  }

  // The pictures of one request.
  class Run {
    constructor(request) {
      this.request = request;
      this.cards = new Map();
      this.box = element('section', 'run');
      this.box.append(element('p', '', request.template.trim() || request.settings[0].prompt || ''));
      this.box.firstChild.dir = 'auto';
      const sides = element('div', 'sides');
      this.sides = request.settings.map((cells, i) => {
        const side = element('div', 'side');
        if (request.settings.length > 1) side.append(element('h3', '', this.title(i)));
        const pictures = element('div', 'pictures');
        side.append(pictures);
        sides.append(side);
        return pictures;
      });
      this.box.append(sides);
    }

    title(i) {
      const [a, b] = this.request.settings;
      const own = this.request.settings[i];
      const differ = Object.keys({ ...a, ...b }).filter((name) => a[name] !== b[name]);
      return 'AB'[i] + (differ.length ? ': ' + differ.map((name) =>
        name + ' ' + (own[name] ?? setup.defaults[name] ?? 'none')).join(', ') : '');
    }

    take(event) {
      if (event.event === 'refused') return complain(event.message);
      if (event.event === 'planned') {
        at('empty')?.remove();
        results.prepend(this.box);
        this.box.scrollIntoView({ block: 'nearest' });
        const each = event.pictures / this.sides.length;
        for (let i = 0; i < event.pictures; i++) {
          const card = element('article', 'picture');
          card.append(element('div', 'frame'));
          this.cards.set(i, card);
          this.state(card, event.ahead ? 'waiting, ' + event.ahead + ' ahead' : 'waiting');
          const pictures = this.sides[Math.min(this.sides.length - 1, Math.floor(i / each))];
          pictures.append(card);
          pictures.classList.toggle('one', pictures.children.length === 1);
        }
        return;
      }
      const card = this.cards.get(event.picture);
      if (event.event === 'step') {
        this.state(card, event.step ? 'step ' + event.step + ' of ' + event.steps : 'encoding the prompt',
          event.step / event.steps);
      } else if (event.event === 'drawn') {
        this.drawn(card, event);
      } else if (card) {
        card.classList.add(event.event);
        const why = element('div', 'state why');
        const text = element('span', '', event.message);
        text.dir = 'auto';
        why.append(element('b', '', event.event), text);
        card.firstChild.replaceChildren(why);
      }
    }

    state(card, text, share) {
      const state = element('div', 'state');
      state.append(element('span', '', text));
      if (share !== undefined) {
        const progress = element('progress');
        progress.value = share;
        progress.setAttribute('aria-label', text);
        state.append(progress);
      }
      card.firstChild.replaceChildren(state);
      card.dataset.waits = 'true';
    }

    drawn(card, event) {
      delete card.dataset.waits;
      const image = element('img');
      image.alt = event.prompt;
      image.src = 'data:' + event.type + ';base64,' + event.file;
      card.firstChild.replaceChildren(image);
      card.firstChild.style.aspectRatio = event.width + ' / ' + event.height;
      const caption = element('div', 'caption');
      const save = element('a', '', 'Save');
      save.href = image.src;
      save.download = 'seed-' + event.seed + '.' + event.type.split('/')[1].replace('jpeg', 'jpg');
      const use = element('button', '', 'Use in a table');
      use.type = 'button';
      use.onclick = () => {
        at('row').textContent = event.row;
        at('job').textContent = event.job;
        at('copied').textContent = '';
        at('use').showModal();
      };
      caption.append(element('span', '', 'seed ' + event.seed + ' · ' + event.seconds.toFixed(1) + ' s'), save, use);
      card.append(caption);
      event.flags.forEach((flag) => card.append(element('p', 'flag', 'flagged: ' + flag)));
    }

    /** Pictures that no event came for. */
    end() {
      this.cards.forEach((card) => {
        if (card.dataset.waits && !card.querySelector('.why')) this.state(card, 'cancelled');
      });
    }
  }

  // Use in a table.
  at('use').addEventListener('click', async (event) => {
    if (event.target === at('use') || 'close' in event.target.dataset) return at('use').close();
    const name = event.target.dataset.copy;
    if (!name) return;
    const text = at(name).textContent;
    try {
      await navigator.clipboard.writeText(text);
    } catch (refused) {
      getSelection().selectAllChildren(at(name));
      document.execCommand('copy');
    }
    at('copied').textContent = 'copied';
  });

  (async function () {
    setup = await (await fetch('setup')).json();
    at('model').textContent = setup.model + ' · ' + setup.pipeline + ' · ' + setup.device +
      ' · policy ' + setup.policy;
    document.querySelectorAll('#form [name], #other [name]').forEach((input) => {
      const value = setup.defaults[input.name];
      if (value !== undefined) input.placeholder = value;
    });
    const cfg = setup.guidance === 'TRUE_CFG_SCALE';
    at('true-cfg-field').hidden = !cfg;
    document.querySelector('.b-true-cfg').hidden = !cfg;
    at('lora-field').hidden = document.querySelector('.b-lora').hidden = !setup.adapters.length;
    at('adapters').replaceChildren(...setup.adapters.map((name) => {
      const option = element('option');
      option.value = name + '@1.0';
      return option;
    }));
    at('lora').placeholder = setup.adapters.map((name) => name + '@1.0').join('+');
    at('template').value = setup.template;
    at('table').open = Boolean(setup.template);
    at('rows-field').hidden = !setup.rows.length;
    at('rows').replaceChildren(...setup.rows.map((cells, i) => {
      const option = element('option', '', (i + 1) + '. ' +
        (cells.id || cells.prompt || Object.values(cells).join(', ')).slice(0, 60));
      option.value = i;
      return option;
    }));
    if (setup.rows.length) useRow(setup.rows[0]); else showCells();
    document.body.dataset.ready = 'true';
  })();
})();
