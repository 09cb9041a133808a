"use strict";

/* What there is to know of the run beside its tests: how to run it again, what was slow or flaky, warnings, environment. */

const SLOWEST = 20;
/* As in the terminal: a test that takes less is not worth naming as slow. */
const SLOW_MS = 100;
const LISTED = 50;

class SummaryView {
  constructor(run, address) {
    this._run = run;
    this._address = address;
    this.element = el("div", { class: "summary" });
  }

  update() {
    if (this.element.childElementCount) return;
    const run = this._run;
    const cards = [
      this._rerun(),
      this._slowest(),
      this._flaky(),
      warnings(run.warnings),
      about(run),
      processes(run),
      environment(run),
    ];
    this.element.append(el("div", { class: "cards" }, cards));
  }

  _rerun() {
    const { rerun } = this._run;
    if (!rerun) return null;
    return card(
      "Run again what was bad",
      el("pre", { class: "output", tabindex: 0, role: "group", "aria-label": "command" }, rerun),
      copyButton("Copy the command", () => rerun),
    );
  }

  _slowest() {
    const { ms } = this._run.tests;
    const all = shownTests(this._run, { ...EMPTY_VIEW, sort: "slowest" }, this._run.all());
    const slow = all.slice(0, SLOWEST).filter((test) => ms[test] >= SLOW_MS);
    if (!slow.length) return null;
    const longest = ms[slow[0]];
    const rows = slow.map((test) => {
      const bar = el("span", { class: "share", "aria-hidden": "true" });
      bar.style.width = `${Math.max(1, (ms[test] / longest) * 100)}%`;
      return el("li", {}, this._link(test), el("span", { class: "test-time" }, duration(ms[test])), bar);
    });
    return card(
      "Slowest",
      el("ol", { class: "slowest" }, rows),
      this._more("All tests, slowest first", { sort: "slowest" }),
    );
  }

  _flaky() {
    const flaky = this._run.inState("flaky");
    if (!flaky.length) return null;
    const rows = flaky
      .slice(0, LISTED)
      .map((test) =>
        el(
          "li",
          {},
          this._link(test),
          el("small", {}, `${this._run.tests.attempts[test]} attempts`),
          el("p", { class: "test-why" }, inertLine(this._run.message(test))),
        ),
      );
    return card(
      "Flaky: failed, then passed",
      el("ul", { class: "plain" }, rows),
      flaky.length > LISTED && this._more(`All ${count(flaky.length)} flaky`, { state: ["flaky"] }),
    );
  }

  _link(test) {
    const id = this._run.tests.id[test];
    return el("a", { href: viewHash({ ...EMPTY_VIEW, test: id }) }, badge(this._run.state(test)), " ", breakable(id));
  }

  _more(words, fields) {
    return el("a", { href: viewHash({ ...EMPTY_VIEW, ...fields }) }, words);
  }
}

function card(title, ...children) {
  return el("section", { class: "card" }, el("h2", {}, title), ...children);
}

function warnings(all) {
  if (!all.length) return null;
  const list = el("ul", { class: "plain" });
  const sorted = [...all].sort((a, b) => b.count - a.count);
  let shown = 0;
  const more = el("button", { type: "button" });
  const grow = () => {
    list.append(...sorted.slice(shown, shown + LISTED).map(warningItem));
    shown = Math.min(sorted.length, shown + LISTED);
    more.textContent = `Show more of ${count(sorted.length)} kinds`;
    more.hidden = shown === sorted.length;
  };
  more.addEventListener("click", grow);
  grow();
  return card(`Warnings (${count(all.reduce((sum, warning) => sum + warning.count, 0))})`, list, more);
}

function about(run) {
  const { info } = run;
  const pairs = [["Run", info.id]];
  if (info.name) pairs.push(["Name", info.name]);
  pairs.push(["Started", moment(info.startedMs)], ["Ended", moment(info.endedMs)], ["Took", duration(info.durationMs)]);
  if (info.exitCode !== null) pairs.push(["Exit code", info.exitCode]);
  pairs.push(["Planned", plural(info.planned, "test")]);
  if (info.deselected) pairs.push(["Deselected", plural(info.deselected, "test")]);
  if (info.gaps) pairs.push(["Missing", plural(info.gaps, "record")]);
  if (info.stopReason) pairs.push(["Stopped by", info.stopReason]);
  for (const [name, value] of Object.entries(info.labels)) pairs.push([`Label ${name}`, value]);
  for (const [group, known] of [
    ["Git", info.git],
    ["CI", info.ci],
  ]) {
    for (const [name, value] of Object.entries(known ?? {}))
      if (value !== null) pairs.push([`${group} ${name}`, linked(asText(value))]);
  }
  if (info.cwd) pairs.push(["Folder", info.cwd]);
  if (info.args.length) pairs.push(["Arguments", el("code", {}, info.args.join(" "))]);
  return card("The run", facts(pairs));
}

/* An address of the web as a link; anything else is text. */
function linked(text) {
  return /^https?:\/\/[^\s]+$/i.test(text) && URL.canParse(text)
    ? el("a", { href: text, rel: "noreferrer noopener" }, text)
    : text;
}

function processes(run) {
  const { sources } = run.info;
  if (!sources.length) return null;
  const head = ["Process", "State", "Host", "PID", "Exit code", "Started", "Ended", "Missing records"];
  const rows = sources.slice(0, 500).map((source) => {
    const cells = [
      source.crashReason ?? source.state,
      source.host ?? "",
      source.pid ?? "",
      source.exitCode ?? "",
      moment(source.startedMs),
      source.endedMs === null ? "" : moment(source.endedMs),
      source.gaps,
    ];
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, processName(source)),
      cells.map((cell) => el("td", {}, cell)),
    );
  });
  const table = el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        head.map((words) => el("th", { scope: "col" }, words)),
      ),
    ),
    el("tbody", {}, rows),
  );
  return card(
    "Processes",
    el("div", { class: "scrolled", tabindex: 0, role: "group", "aria-label": "Processes" }, table),
  );
}

function environment(run) {
  const known = run.info.environment;
  if (!known) return null;
  const { packages, ...plain } = known;
  const pairs = Object.entries(plain).map(([name, value]) => [name, asText(value)]);
  const list = packages && Object.entries(packages).map(([name, version]) => [name, asText(version)]);
  return card(
    "Environment",
    facts(pairs),
    list && el("details", {}, el("summary", {}, plural(list.length, "package")), facts(list)),
  );
}
