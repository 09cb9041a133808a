"use strict";

/* Folders, files and classes with the counts of what is in them, as a tree that can be walked with the arrow keys. */
class SuitesView {
  constructor(run, address) {
    this._run = run;
    this._address = address;
    this._top = suiteTree(run);
    this._open = new Set(this._top.children.length === 1 ? [this._top.children[0].path] : []);
    this._rows = [];
    this.list = new WindowedList({
      label: "Suites",
      id: "suite-list",
      rowHeight: 2.5,
      role: "tree",
      rowRole: "treeitem",
      draw: (position) => this._row(this._rows[position]),
      choose: () => {},
      act: (position) => this._showTests(this._rows[position]),
      ownKey: (event, position) => this._key(event, position),
      ownClick: (target, position) => this._click(target, position),
    });
    this.element = el(
      "div",
      { class: "suites" },
      el("p", { class: "hint" }, "▸ opens a suite, as → and ← do; a click on it, or Enter, shows its tests."),
      this.list.box,
    );
  }

  update() {
    if (!this._rows.length) this._list(0);
  }

  _list(current) {
    this._rows = [];
    const walk = (node, level) => {
      node.children.forEach((child, at) => {
        this._rows.push({ node: child, level, place: at + 1, of: node.children.length });
        if (this._open.has(child.path)) walk(child, level + 1);
      });
    };
    walk(this._top, 1);
    this.list.show(this._rows.length, current);
  }

  _row({ node, level, place, of }) {
    const open = this._open.has(node.path);
    const twisty = el(
      "span",
      { class: "twisty", "aria-hidden": "true" },
      node.children.length ? (open ? "▾" : "▸") : "",
    );
    const states = this._run.states.flatMap((state, number) =>
      node.states[number] ? [{ state, number: node.states[number] }] : [],
    );
    const told = states.map(({ state, number }) =>
      el("span", { class: `count is-${state.name}` }, badge(state), ` ${count(number)}`),
    );
    const words = states.map(({ state, number }) => `${number} ${state.word}`).join(", ");
    const row = el(
      "div",
      {
        class: "suite-row",
        "aria-level": level,
        "aria-posinset": place,
        "aria-setsize": of,
        "aria-label": `${node.name}: ${words}`,
        "aria-expanded": node.children.length ? String(open) : null,
      },
      twisty,
      el("span", { class: "suite-name" }, inertLine(node.name)),
      el("span", { class: "suite-counts" }, told),
      el("span", { class: "test-time" }, duration(node.ms)),
    );
    row.style.paddingInlineStart = `${level * 1.1}rem`;
    return row;
  }

  _click(target, position) {
    const { node } = this._rows[position];
    return Boolean(target.closest(".twisty") && node.children.length) && this._toggle(node, position);
  }

  _key(event, position) {
    const { node, level } = this._rows[position];
    const open = this._open.has(node.path);
    if (event.key === "ArrowRight" && node.children.length && !open) return this._toggle(node, position);
    if (event.key === "ArrowLeft" && open) return this._toggle(node, position);
    if (event.key === "ArrowLeft" && level > 1) {
      this.list.select(this._rows.findLastIndex((row, at) => at < position && row.level < level));
      return true;
    }
    return event.key === "ArrowRight" || event.key === "ArrowLeft";
  }

  _toggle(node, position) {
    if (!this._open.delete(node.path)) this._open.add(node.path);
    this._list(position);
    return true;
  }

  _showTests({ node }) {
    this._address.change({ ...EMPTY_VIEW, in: node.path, sort: this._address.view.sort }, { step: true });
  }
}

/* The tree of all suites; `states` counts tests by the number of their state, `ms` adds up their times. */
function suiteTree(run) {
  const make = (name, path) => ({
    name,
    path,
    children: [],
    byName: new Map(),
    states: new Array(run.states.length).fill(0),
    ms: 0,
  });
  const top = make("", "");
  const paths = run.tests.suites.map(suiteParts);
  for (let test = 0; test < run.total; test += 1) {
    let node = top;
    const steps = [top];
    for (const { name, path } of paths[run.tests.suite[test]]) {
      if (!node.byName.has(name)) {
        node.byName.set(name, make(name, path));
        node.children.push(node.byName.get(name));
      }
      node = node.byName.get(name);
      steps.push(node);
    }
    for (const step of steps) {
      step.states[run.tests.state[test]] += 1;
      step.ms += run.tests.ms[test] ?? 0;
    }
  }
  return top;
}

/* `a/b.py::C` as folders, file and classes, each with its whole path. */
function suiteParts(suite) {
  const [file, ...classes] = suite.split("::");
  const parts = [];
  let path = "";
  for (const folder of file.split("/")) {
    path = parts.length ? `${path}/${folder}` : folder;
    parts.push({ name: folder || "/", path });
  }
  for (const name of classes) {
    path = `${path}::${name}`;
    parts.push({ name, path });
  }
  return parts;
}
