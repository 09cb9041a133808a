"use strict";

/* The head of the page: what came of the run and why, when and where, and a button for each state that there is. */
class Header {
  constructor(run, address, { theme, help }) {
    this._run = run;
    this._address = address;
    this._chips = new Map();
    const soFar = run.info.state === "passed" && run.info.shardsMissing > 0;
    const good = run.info.state === "passed" && run.total > 0 && !soFar;
    const open = soFar || ["pending", "running"].includes(run.info.state);
    const kind = good ? "passed" : open ? "running" : "failed";
    const verdict = el(
      "span",
      { class: `verdict is-${kind}` },
      el("span", { "aria-hidden": "true" }, good ? "✓" : open ? "…" : "✗"),
      " ",
      run.verdict.charAt(0).toUpperCase() + run.verdict.slice(1),
    );
    const buttons = [
      el("button", { type: "button", id: "theme", class: "quiet", on: { click: theme } }, "Theme"),
      el("button", { type: "button", class: "quiet", on: { click: () => print() } }, "Print"),
      el("button", { type: "button", class: "quiet", on: { click: help } }, "Keys"),
    ];
    byId("top").append(
      el(
        "div",
        { class: "title" },
        el("h1", {}, verdict, el("span", { class: "run-name" }, run.info.name ?? run.info.id)),
        el("div", { class: "buttons" }, buttons),
      ),
      el(
        "p",
        { class: "run-facts" },
        runFacts(run.info).map((fact) => el("span", {}, fact)),
      ),
      ...run.reasons.map((reason) => el("p", { class: "why" }, reason)),
      ...[run.chain].filter(Boolean).map((words) => el("p", { class: "chain" }, words)),
      ...alarms(run),
      this._bar(),
      this._states(),
      el("p", { id: "said", class: "unseen", role: "status", "aria-live": "polite" }),
    );
  }

  /* The counts of all states as parts of one bar. */
  _bar() {
    const bar = el("div", { class: "state-bar", "aria-hidden": "true" });
    for (const state of this._run.states.toReversed()) {
      const number = this._run.counts[state.name];
      if (!number) continue;
      const part = el("span", { class: `is-${state.name}` });
      part.style.flexGrow = number;
      bar.append(part);
    }
    return bar;
  }

  _states() {
    const chip = (name, content) => {
      const button = el(
        "button",
        {
          type: "button",
          class: `chip is-${name || "all"}`,
          "aria-pressed": "false",
          on: { click: () => this._toggle(name) },
        },
        content,
      );
      this._chips.set(name, { button, number: button.querySelector(".number") });
      return button;
    };
    const all = chip("", [
      el("span", { class: "number" }, count(this._run.total)),
      this._run.total === 1 ? " test" : " tests",
    ]);
    const states = this._run.states
      .filter((state) => this._run.counts[state.name])
      .map((state) =>
        chip(state.name, [
          badge(state),
          " ",
          el("span", { class: "number" }, count(this._run.counts[state.name])),
          ` ${state.word}`,
        ]),
      );
    return el("div", { class: "chips", role: "group", "aria-label": "States" }, all, states);
  }

  _toggle(name) {
    const { state } = this._address.view;
    const wanted = name === "" ? [] : state.includes(name) ? state.filter((other) => other !== name) : [...state, name];
    this._address.change({ view: "tests", state: wanted }, { step: true });
  }

  /* `counts`: how many of the tests that are looked for are in each state. */
  update(view, counts) {
    for (const [name, { button, number }] of this._chips) {
      button.setAttribute("aria-pressed", name === "" ? !view.state.length : view.state.includes(name));
      if (counts)
        number.textContent = count(
          name === "" ? counts.reduce((sum, one) => sum + one, 0) : counts[this._run.stateNumber.get(name)],
        );
    }
  }
}

function runFacts(info) {
  const { git, ci } = info;
  const [onBranch, atCommit] = ["branch", "commit"].map((name) => git?.[name] || ci?.[name]);
  const place = onBranch ? `branch ${onBranch}` : "";
  const commit = atCommit
    ? `${place ? "@" : "commit"} ${String(atCommit).slice(0, 10)}${git?.dirty === true ? " (with changes)" : ""}`
    : "";
  const found = [
    info.name ? info.id : "",
    moment(info.startedMs),
    info.durationMs === null ? "not ended" : `took ${duration(info.durationMs)}`,
    [place, commit].filter(Boolean).join(" "),
    jobsOf(info),
    workersOf(info),
    info.exitCode === null ? "" : `exit code ${info.exitCode}`,
    ci?.provider ? `CI ${ci.provider}` : "",
    ...Object.entries(info.labels).map(([name, value]) => `${name}=${value}`),
  ];
  return found.filter(Boolean).map(inertLine);
}

/* The shards or jobs of CI, where the run is of several. */
function jobsOf({ sources }) {
  const jobs = new Set(sources.map(({ job }) => job).filter(Boolean));
  return jobs.size ? plural(jobs.size, "job") : "";
}

/* As many workers as were asked for: one that crashed is replaced by another. */
function workersOf({ sources, distribution }) {
  const workers = sources.filter(({ worker }) => !["main", "shipper", "client"].includes(worker));
  if (!workers.length) return "";
  const asked = new Set(sources.map(({ session }) => session)).size === 1 && Number(distribution?.workers);
  return (
    plural(asked > 0 ? asked : workers.length, "worker") +
    (typeof distribution?.mode === "string" ? ` (${distribution.mode})` : "")
  );
}

/* What must not be overlooked: tests and records that are not there. */
function alarms(run) {
  const { lost = 0, not_run: missed = 0 } = run.counts;
  const { gaps, deselected } = run.info;
  return [
    lost &&
      `${plural(lost, "test")} lost: the process ended, but no complete record is there. This run proves nothing about them.`,
    gaps && `${plural(gaps, "record")} missing: tests or results may be missing, so this run is not green.`,
    missed && `${plural(missed, "planned test")} did not run.`,
    deselected && !run.total && `${plural(deselected, "test")} deselected.`,
  ]
    .filter(Boolean)
    .map((words) => el("p", { class: "alarm" }, words));
}
