"use strict";

/* On paper: the head, every failure in full, and what else there is to know. It is made when the page is printed; the
   attempts that it needs are unpacked before, since a browser that prints waits for nothing. */

/* How many tests are printed, and how long all their texts may be. */
const PRINTED = 500;
const CHARACTERS_PRINTED = 5_000_000;

class Printing {
  constructor(run) {
    this._run = run;
    this._bad = run.inState(
      ...run.states.filter((state) => state.bad || state.name === "flaky").map((state) => state.name),
    );
    this._bad = shownTests(run, EMPTY_VIEW, this._bad);
    this._attempts = [];
    addEventListener("beforeprint", () => this._make());
    addEventListener("afterprint", () => byId("print").replaceChildren());
  }

  /* Unpacks what is printed; resolves when all of it is there. */
  async prepare() {
    let left = CHARACTERS_PRINTED;
    for (const test of this._bad.slice(0, PRINTED)) {
      const attempts = await readAttempts(this._run, test);
      left -= (attempts ?? []).reduce((sum, attempt) => sum + written(attempt), 0);
      if (left < 0) break;
      this._attempts.push(attempts);
    }
  }

  _make() {
    const run = this._run;
    const full = this._bad.slice(0, this._attempts.length);
    const summary = new SummaryView(run, null);
    summary.update();
    for (const details of summary.element.querySelectorAll("details")) details.remove(); // a page of packages
    fill(
      byId("print"),
      full.length > 0 && el("h2", { class: "print-title" }, "What was not green"),
      full.map((test, at) =>
        el(
          "article",
          { class: "printed" },
          stateWord(run.state(test)),
          testHead(run, test),
          testRest(run, test, this._attempts[at], true),
        ),
      ),
      full.length < this._bad.length &&
        el("p", {}, `${plural(this._bad.length - full.length, "more test")} not printed.`),
      summary.element,
    );
  }
}

/* How long the texts of an attempt are that have no bound of their own. */
function written(attempt) {
  const { output, error, lastOutput } = attempt;
  const texts = [...output.map(({ text }) => text), error?.stack, error?.message, lastOutput];
  return texts.reduce((sum, text) => sum + (text?.length ?? 0), 0);
}
