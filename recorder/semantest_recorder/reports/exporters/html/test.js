"use strict";

/* One test with all its attempts, in a pane beside the list; on a small screen in place of it. */
class TestPane {
  constructor(run, { closed, stepped }) {
    this._run = run;
    this._test = -1;
    this._body = el("div", { class: "pane-body" });
    this._back = el("button", { type: "button", class: "back", on: { click: closed } }, "‹ Back to the list");
    const step = (by, words, sign) =>
      el(
        "button",
        { type: "button", class: "quiet", "aria-label": words, title: words, on: { click: () => stepped(by) } },
        sign,
      );
    this._title = el("div", { class: "pane-title" });
    const bar = el(
      "div",
      { class: "pane-bar" },
      this._back,
      this._title,
      step(-1, "Previous test", "↑"),
      step(1, "Next test", "↓"),
    );
    this.element = el("section", { class: "pane", id: "pane", "aria-label": "Test", tabindex: 0 }, bar, this._body);
    this.show(-1);
  }

  /* Shows a test by its number; -1: none. */
  async show(test) {
    if (test === this._test && this._body.childElementCount) return;
    this._test = test;
    this.element.classList.toggle("open", test >= 0);
    fill(
      this._title,
      test >= 0 && [
        stateWord(this._run.state(test)),
        el("span", { class: "pane-name" }, inertLine(this._run.name(test))),
      ],
    );
    if (test < 0) {
      fill(this._body, el("p", { class: "empty" }, "Choose a test to see its attempts, tracebacks and output."));
      return;
    }
    fill(this._body, testHead(this._run, test));
    this.element.scrollTop = 0;
    const rest = testRest(this._run, test, await readAttempts(this._run, test));
    if (this._test === test) this._body.append(...rest); // no other one was asked for meanwhile
  }

  focus() {
    this.element.focus({ preventScroll: true });
  }
}

function testHead(run, test) {
  const { tests } = run;
  const state = run.state(test);
  const file = run.file(test);
  const pairs = tests.ms[test] ? [["Took", duration(tests.ms[test])]] : [];
  if (file) pairs.push(["Where", tests.line[test] === null ? file : `${file}:${tests.line[test]}`]);
  if (!["", "main"].includes(run.worker(test))) pairs.push(["Worker", run.worker(test)]);
  if (tests.attempts[test] > 1) pairs.push(["Attempts", count(tests.attempts[test])]);
  if (run.markers(test).length) pairs.push(["Markers", run.markers(test).join(", ")]);
  return el(
    "header",
    { class: "test-head" },
    el("h2", { class: "test-id" }, breakable(tests.id[test])),
    copyButton("Copy the id", () => tests.id[test]),
    facts(pairs),
    ["not_run", "lost"].includes(state.name) && run.message(test) && el("p", { class: "reason" }, run.message(test)),
  );
}

/* An id that may be broken into lines where people would. */
function breakable(id) {
  return id.split(/(?<=\/|::|\[|,)/u).flatMap((part) => [part, el("wbr")]);
}

/* The attempts of a test, null when the file is damaged where they are. */
async function readAttempts(run, test) {
  try {
    return await run.attempts(test);
  } catch {
    return null;
  }
}

/* What is behind the head of a test, from its attempts; with `all` nothing is left to ask for. */
function testRest(run, test, attempts, all = false) {
  if (!attempts)
    return [el("p", { class: "reason" }, "The attempts of this test cannot be read: the file is damaged.")];
  const several = attempts.length > 1;
  const cards = attempts.map((attempt) => attemptCard(run, attempt, { several, all }));
  const warned = run.warnings.filter((warning) => warning.testId === run.tests.id[test]);
  return [
    el("div", { class: several ? "attempts beside" : "attempts" }, cards),
    !attempts.length && el("p", { class: "empty" }, "Nothing of it was recorded."),
    warned.length > 0 && section("Warnings", el("ul", {}, warned.map(warningItem))),
  ].filter(Boolean);
}

function warningItem(warning) {
  const where = warning.file ? `${warning.file}${warning.line === null ? "" : `:${warning.line}`}` : "";
  const times = warning.count > 1 ? `${count(warning.count)} times` : "";
  return el(
    "li",
    {},
    el("b", {}, warning.category),
    `: ${warning.message}`,
    el("small", {}, [where, times].filter(Boolean).join(" · ")),
  );
}
