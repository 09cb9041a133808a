"use strict";

/* How many files, workers or markers a choice offers; the search knows all of them (`file:`, `worker:`, `marker:`). */
const OFFERED = 100;

/* The list of tests with its search and filters, and the test that is looked at. */
class TestsView {
  constructor(run, address) {
    this._run = run;
    this._address = address;
    this._asked = this._listed = null; // for what the tests were found, and the list made
    this.shown = [];
    this.list = new WindowedList({
      label: "Tests",
      id: "list",
      rowHeight: 3.25,
      draw: (position) => testRow(run, this.shown[position]),
      choose: (position) => this._choose(position),
      act: (position, key) => this._open(position, key),
    });
    this._told = el("p", { class: "told-count", id: "count", role: "status" });
    const all = el("button", { type: "button", on: { click: () => this.reset() } }, "Show all tests");
    this._nothing = el(
      "p",
      { class: "empty", hidden: "" },
      run.total ? ["No test matches. ", all] : "This run has no tests.",
    );
    this.pane = new TestPane(run, { closed: () => this.close(), stepped: (by) => this.step(by) });
    this.element = el(
      "div",
      { class: "tests" },
      el(
        "section",
        { class: "finder", "aria-label": "Find tests" },
        this._controls(),
        this._told,
        this._nothing,
        this.list.box,
      ),
      this.pane.element,
    );
  }

  _controls() {
    const { tests } = this._run;
    this.search = el("input", {
      type: "search",
      id: "search",
      "aria-label": "Search",
      placeholder: "Search names and messages",
      autocomplete: "off",
      spellcheck: "false",
      on: { input: () => this._address.change({ q: this.search.value }) },
    });
    this._choices = {
      in: choice("File", tests.files.filter(Boolean), (value) => this._address.change({ in: value })),
      worker: choice("Worker", tests.workers.filter(Boolean), (value) => this._address.change({ worker: value })),
      marker: choice("Marker", [...new Set(tests.markerSets.flat())], (value) =>
        this._address.change({ marker: value }),
      ),
    };
    this._sort = el(
      "select",
      { "aria-label": "Sort", on: { change: () => this._address.change({ sort: this._sort.value }) } },
      Object.entries(SORTS).map(([value, words]) => el("option", { value }, words)),
    );
    const chosen = Object.values(this._choices).filter(Boolean);
    return el(
      "div",
      { class: "controls", role: "search" },
      this.search,
      el("div", { class: "choices" }, chosen, this._sort),
    );
  }

  /* Shows what a view asks for; gives how many tests are in each state, whatever states are asked for. */
  update(view) {
    const asked = [view.q, view.in, view.worker, view.marker].join("\n");
    const listed = [asked, ...view.state, view.sort].join("\n");
    if (asked !== this._asked) this._candidates = candidates(this._run, view);
    if (listed !== this._listed) this._list(view);
    Object.assign(this, { _asked: asked, _listed: listed });
    if (this.search.value !== view.q) this.search.value = view.q;
    for (const [name, select] of Object.entries(this._choices)) if (select) setChoice(select, view[name]);
    this._sort.value = view.sort;
    const test = view.test ? this._run.numberOf(view.test) : -1;
    const position = test < 0 ? -1 : this.shown.indexOf(test);
    if (position !== this.list.current) this.list.mark(position);
    this.pane.show(test);
    if (view.test && test < 0) announce(`This run has no test ${view.test}`);
    return countStates(this._run, this._candidates);
  }

  _list(view) {
    this.shown = shownTests(this._run, view, this._candidates);
    this.list.box.hidden = !this.shown.length; // before: what is hidden has no height to fill
    this.list.box.scrollTop = 0;
    this.list.show(this.shown.length);
    this._nothing.hidden = this.shown.length > 0;
    const all = this.shown.length === this._run.total;
    this._told.textContent = all
      ? plural(this._run.total, "test")
      : `${count(this.shown.length)} of ${plural(this._run.total, "test")}`;
  }

  reset() {
    const { q, state, worker, marker } = EMPTY_VIEW;
    this._address.change({ q, state, worker, marker, in: "" }, { step: true });
  }

  /* The next test of the list; by -1 the one before. */
  step(by) {
    this.list.select(this.list.current < 0 ? 0 : this.list.current + by);
  }

  /* Beside the list a test is shown as soon as it is chosen. */
  _choose(position) {
    if (wideScreen.matches || this._address.view.test)
      this._address.change({ test: this._run.tests.id[this.shown[position]] });
  }

  /* Where the test covers the list, opening it is a step that Back undoes. */
  _open(position, key) {
    const covers = !wideScreen.matches;
    this._address.change({ test: this._run.tests.id[this.shown[position]] }, { step: covers });
    if (covers || key) this.pane.focus();
  }

  close() {
    if (!wideScreen.matches) this._address.change({ test: "" });
    this.list.box.focus();
  }
}

const wideScreen = matchMedia("(min-width: 60rem)");

function testRow(run, test) {
  const state = run.state(test);
  const message = run.message(test);
  const suite = run.suite(test);
  const took = run.tests.ms[test] ? duration(run.tests.ms[test]) : ""; // one that was never started took no time
  return el(
    "div",
    {
      class: `test-row is-${state.name}`,
      "aria-label": [run.name(test), state.word, took].filter(Boolean).join(", "),
    },
    badge(state),
    el("span", { class: "test-name" }, inertLine(run.name(test))),
    el("span", { class: "test-time" }, took),
    el(
      "span",
      { class: "test-place" },
      el("span", { class: "test-suite" }, inertLine(message ? suite.split("/").at(-1) : suite)),
      message && el("span", { class: "test-why" }, inertLine(message)),
    ),
  );
}

/* A choice among names, `null` where there is nothing to choose. */
function choice(label, names, chosen) {
  if (names.length < 2 && label !== "Marker") return null;
  if (!names.length) return null;
  names.sort(BY_NAME.compare);
  const options = names.slice(0, OFFERED).map((name) => el("option", { value: name }, inertLine(name)));
  const more =
    names.length > OFFERED &&
    el("option", { disabled: "" }, `${count(names.length - OFFERED)} more: search with ${label.toLowerCase()}:…`);
  const select = el(
    "select",
    { "aria-label": label },
    el("option", { value: "" }, `Any ${label.toLowerCase()}`),
    options,
    more,
  );
  select._names = names;
  select.addEventListener("change", () => chosen(select._names[select.selectedIndex - 1] ?? ""));
  return select;
}

/* Names are compared as they were told, not as they are shown; one that is not offered gets an option of its own. */
function setChoice(select, name) {
  let at = name ? select._names.slice(0, OFFERED).indexOf(name) : -1;
  if (name && at < 0) {
    select._names = [name, ...select._names];
    select.options[0].after(el("option", { value: name }, inertLine(name)));
    at = 0;
  }
  select.selectedIndex = at + 1;
}
