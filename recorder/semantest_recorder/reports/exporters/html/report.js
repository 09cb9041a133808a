"use strict";

/* Puts the page together: the head, four views of which one is shown, keys and colours. */

const TITLES = { tests: "Tests", suites: "Suites", timeline: "Timeline", summary: "Summary" };
const KEYS = [
  ["/", "search"],
  ["↑ ↓", "walk through a list"],
  ["n p", "next and previous test"],
  ["Enter", "open what is chosen"],
  ["Esc", "back to the list"],
  ["1 2 3 4", "tests, suites, timeline, summary"],
  ["t", "dark or light"],
  ["?", "these keys"],
];

class Page {
  constructor(run) {
    this._address = new Address((view) => this._update(view));
    this._run = run;
    this._views = {};
    this._view("tests");
    this._header = new Header(run, this._address, { theme: toggleTheme, help: () => byId("help").showModal() });
    this._tabs = VIEWS.map((name) =>
      el(
        "button",
        { type: "button", on: { click: () => this._address.change({ view: name }, { step: true }) } },
        TITLES[name],
      ),
    );
    byId("tabs").append(...this._tabs);
    document.addEventListener("keydown", (event) => this._key(event));
    document.addEventListener("themechange", () => this._views.timeline?.update());
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this._views.timeline?.update());
    byId("app").hidden = false;
    this._start(run);
  }

  /* The view with this name, made when it is looked at first. */
  _view(name) {
    if (!this._views[name]) {
      const make = { tests: TestsView, suites: SuitesView, timeline: TimelineView, summary: SummaryView };
      this._views[name] = new make[name](this._run, this._address);
      byId("views").append(this._views[name].element);
    }
    return this._views[name];
  }

  /* A page that is opened without a test shows the worst one, if it is bad and there is room beside the list. */
  _start(run) {
    const { view } = this._address;
    this._update(view);
    const [worst] = this._views.tests.shown;
    if (view.test || view.view !== "tests" || !wideScreen.matches || worst === undefined) return;
    if (run.state(worst).bad || run.state(worst).name === "flaky") this._address.change({ test: run.tests.id[worst] });
  }

  _update(view) {
    const shown = this._view(view.view);
    VIEWS.forEach((name, at) => {
      if (this._views[name]) this._views[name].element.hidden = name !== view.view;
      if (name === view.view) this._tabs[at].setAttribute("aria-current", "page");
      else this._tabs[at].removeAttribute("aria-current");
    });
    this._header.update(view, shown.update(view));
  }

  _key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || byId("help").open) return;
    const { tests } = this._views;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && this._address.view.view === "tests") {
      tests.close();
      return;
    }
    if (event.key === "ArrowDown" && event.target === tests.search) {
      event.preventDefault();
      tests.list.box.focus();
      return;
    }
    if (typing || kept.get("keys") === "off") return;
    const acts = {
      "/": () => this._go("tests", () => tests.search.focus()),
      n: () => this._go("tests", () => tests.step(1)),
      p: () => this._go("tests", () => tests.step(-1)),
      t: toggleTheme,
      "?": () => byId("help").showModal(),
    };
    VIEWS.forEach((name, at) => (acts[at + 1] = () => this._address.change({ view: name }, { step: true })));
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    acts[event.key]();
  }

  _go(view, act) {
    if (this._address.view.view !== view) this._address.change({ view }, { step: true });
    act();
  }
}

function isDark() {
  const { theme } = document.documentElement.dataset;
  return theme ? theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function toggleTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  kept.set("theme", theme);
  announce(`${theme} colours`);
  document.dispatchEvent(new Event("themechange"));
}

function fillHelp() {
  const on = el("input", { type: "checkbox", id: "keys-on" });
  on.checked = kept.get("keys") !== "off";
  on.addEventListener("change", () => kept.set("keys", on.checked ? "on" : "off"));
  const rows = KEYS.map(([keys, words]) => [el("kbd", {}, keys), words]).map(([keys, words]) =>
    el("div", {}, el("dt", {}, keys), el("dd", {}, words)),
  );
  fill(
    byId("help"),
    el("h2", { id: "help-title" }, "Keys"),
    el("dl", { class: "facts" }, rows),
    el("p", {}, el("label", {}, on, " Single letters and signs act as keys")),
    el(
      "p",
      { class: "hint" },
      'A search takes words, "words together", -without, and file: state: worker: marker: message: before a word.',
    ),
    el("form", { method: "dialog" }, el("button", {}, "Close")),
  );
}

async function start() {
  try {
    if (!("DecompressionStream" in window))
      throw new Error("this browser is too old to unpack the data (one of 2024 or newer can)");
    const run = new Run(await unpacked(document.querySelector("script[data-index]")));
    fillHelp();
    new Page(run);
    const printing = new Printing(run);
    await printing.prepare();
    document.documentElement.dataset.ready = "";
  } catch (error) {
    byId("notice").hidden = false;
    byId("notice").textContent = `This report cannot be shown: ${inertLine(error.message)}.`;
    throw error;
  }
}

start();
