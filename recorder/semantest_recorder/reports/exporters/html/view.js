"use strict";

/* What the reader looks at, as it stands behind the # of the address; and which tests that is. Pure but for `Address`. */

const VIEWS = ["tests", "suites", "timeline", "summary"];
const SORTS = {
  worst: "Worst first",
  plan: "Order of the plan",
  slowest: "Slowest first",
  fastest: "Fastest first",
  name: "Name",
};

const EMPTY_VIEW = { view: "tests", q: "", state: [], in: "", worker: "", marker: "", sort: "worst", test: "" };

function parseView(hash) {
  const told = new URLSearchParams(hash.replace(/^#/, ""));
  const found = { ...EMPTY_VIEW };
  for (const name of ["q", "in", "worker", "marker", "test"]) found[name] = told.get(name) ?? "";
  if (VIEWS.includes(told.get("view"))) found.view = told.get("view");
  if (Object.hasOwn(SORTS, told.get("sort") ?? "")) found.sort = told.get("sort");
  found.state = (told.get("state") ?? "").split(",").filter(Boolean);
  return found;
}

function viewHash(view) {
  const told = new URLSearchParams();
  for (const [name, empty] of Object.entries(EMPTY_VIEW)) {
    const value = Array.isArray(empty) ? view[name].join(",") : view[name];
    if (value !== String(empty)) told.set(name, value);
  }
  return `#${told}`;
}

/* Words of a search, all of which must match: `file:cart -slow "two words"`. */
function parseSearch(text) {
  const words = [];
  for (const [, not, field, quoted, bare] of text.matchAll(
    /(-?)(?:(file|state|worker|marker|message):)?(?:"([^"]*)"?|(\S+))/gu,
  )) {
    const word = (quoted ?? bare).toLowerCase();
    if (word) words.push({ not: not === "-", field: field ?? "", word });
  }
  return words;
}

function fieldText(run, test, field) {
  if (field === "") return run.sought(test);
  if (field === "file") return (run.file(test) || run.tests.id[test]).toLowerCase();
  if (field === "state") return run.state(test).word;
  if (field === "worker") return run.worker(test).toLowerCase();
  if (field === "message") return run.message(test).toLowerCase();
  return run.markers(test).join("\n").toLowerCase();
}

/* Whether an id is that of a folder, file or suite, or of something in it. */
function isIn(id, place) {
  return (
    id.startsWith(place) &&
    (id.length === place.length || ["/", ":", "["].includes(id[place.length]) || place.endsWith("/"))
  );
}

/* The tests that a view shows, but for its states; in the order of the plan. */
function candidates(run, view) {
  const words = parseSearch(view.q);
  return run
    .all()
    .filter(
      (test) =>
        (!view.in || isIn(run.tests.id[test], view.in) || run.suite(test) === view.in) &&
        (!view.worker || run.worker(test) === view.worker) &&
        (!view.marker || run.markers(test).includes(view.marker)) &&
        words.every(({ not, field, word }) => fieldText(run, test, field).includes(word) !== not),
    );
}

/* How many of `tests` are in each state, by its number. */
function countStates(run, tests) {
  const counts = new Array(run.states.length).fill(0);
  for (const test of tests) counts[run.tests.state[test]] += 1;
  return counts;
}

/* The tests that a view shows, sorted: `tests` are its candidates. */
function shownTests(run, view, tests) {
  const wanted = new Set(view.state.map((name) => run.stateNumber.get(name)));
  const shown = wanted.size ? tests.filter((test) => wanted.has(run.tests.state[test])) : [...tests];
  const { state, ms, id } = run.tests;
  const orders = {
    worst: (a, b) => state[a] - state[b] || a - b,
    slowest: (a, b) => ms[b] - ms[a] || a - b,
    fastest: (a, b) => ms[a] - ms[b] || a - b,
    name: (a, b) => (id[a] < id[b] ? -1 : id[a] > id[b] ? 1 : a - b),
  };
  return orders[view.sort] ? shown.sort(orders[view.sort]) : shown;
}

/* How long the address bar waits for more changes, in milliseconds: browsers refuse to write it too often. */
const ADDRESS_WAITS = 150;

/* The view in the address bar; `changed(view)` is told of each change, whoever made it. */
class Address {
  constructor(changed) {
    this.view = parseView(location.hash);
    this._changed = changed;
    this._waiting = null;
    window.addEventListener("hashchange", () => {
      clearTimeout(this._waiting);
      this._waiting = null;
      this._take(parseView(location.hash));
    });
  }

  /* Changes fields of the view. A `step` is one that the browser's Back undoes. */
  change(fields, { step = false } = {}) {
    const view = { ...this.view, ...fields };
    const hash = viewHash(view);
    const moved = hash !== viewHash(this.view);
    if (step) this._write();
    this._take(view);
    if (step && moved) writeAddress("pushState", hash);
    else this._waiting ??= setTimeout(() => this._write(), ADDRESS_WAITS);
  }

  /* Writes what waits to be written. */
  _write() {
    clearTimeout(this._waiting);
    this._waiting = null;
    const hash = viewHash(this.view);
    if (hash !== location.hash && (location.hash || hash !== "#")) writeAddress("replaceState", hash);
  }

  _take(view) {
    this.view = view;
    this._changed(view);
  }
}

/* A page inside another one may have no address of its own: what is looked at is shown all the same. */
function writeAddress(how, hash) {
  try {
    history[how](null, "", hash);
  } catch {
    // Back goes elsewhere, then.
  }
}
