"use strict";

/* Which process ran which attempt when: a lane a process, drawn on a canvas of which only the visible part exists. */

const LANE = 26;
const AXIS = 24;
/* How many lanes are in sight at once; the others are scrolled to. */
const LANES_SHOWN = 16;
const NAMES = 92;
/* The shortest stretch of time that can be looked at, in milliseconds. */
const CLOSEST = 2;
/* A pixel of a lane in which no attempt ran; any other value is the number of a state. */
const NOTHING = 255;
/* In a bar that keeps farther from the edges of its lane there is no room for a letter. */
const LOWEST_WITH_LETTER = 5;

class TimelineView {
  constructor(run, address) {
    this._run = run;
    this._address = address;
    this._lanes = lanesOf(run.timeline);
    this._end = run.timeline.start.reduce((latest, start, at) => Math.max(latest, start + run.timeline.ms[at]), 1);
    this._from = 0;
    this._to = this._end;
    this._chosen = -1;
    this._insets = run.states.map(insetOf);
    this._canvas = el("canvas", { class: "lanes" });
    const height = AXIS + LANE * Math.min(LANES_SHOWN, this._lanes.length);
    this._space = el("div", { class: "lanes-space" });
    this._space.style.height = `${AXIS + LANE * this._lanes.length}px`;
    this.box = el(
      "div",
      {
        class: "lanes-box",
        id: "lanes",
        tabindex: 0,
        role: "application",
        "aria-label": "Timeline of attempts",
        "aria-describedby": "lanes-hint lanes-told",
      },
      this._space,
    );
    this.box.style.height = `${height}px`;
    this._space.append(this._canvas);
    this._told = el("p", { id: "lanes-told", role: "status", class: "lanes-told" }, "Nothing chosen.");
    const button = (words, act) => el("button", { type: "button", on: { click: act } }, words);
    const bar = el(
      "div",
      { class: "bar" },
      button("Zoom in", () => this._zoom(0.5)),
      button("Zoom out", () => this._zoom(2)),
      button("Whole run", () => this._show(0, this._end)),
      (this._openButton = el(
        "button",
        { type: "button", disabled: "", on: { click: () => this._openTest() } },
        "Look at the test",
      )),
    );
    const hint =
      "← → the attempt before and after, ↑ ↓ another worker, + − zoom, Enter looks at the test; Ctrl and wheel zoom, too. Tall bars are bad, low ones were skipped.";
    this.element = run.timeline.test.length
      ? el(
          "div",
          { class: "timeline" },
          bar,
          el("p", { class: "hint", id: "lanes-hint" }, hint),
          this.box,
          this._told,
          legend(run),
          this._busy(),
        )
      : el("p", { class: "empty" }, "No attempt was started.");
    this._listen();
  }

  _listen() {
    this.box.addEventListener("scroll", () => this._draw());
    this.box.addEventListener("keydown", (event) => this._key(event));
    this.box.addEventListener("wheel", (event) => this._wheel(event), { passive: false });
    this._canvas.addEventListener("pointermove", (event) => this._point(event));
    this._canvas.addEventListener("click", (event) => {
      const found = this._at(event);
      if (found >= 0) this._choose(found);
    });
    this._canvas.addEventListener("dblclick", () => this._openTest());
    new ResizeObserver(() => this._draw()).observe(this.box);
  }

  update() {
    this._draw();
  }

  _show(from, to) {
    const width = Math.min(Math.max(to - from, CLOSEST), this._end);
    this._from = Math.max(0, Math.min(from, this._end - width));
    this._to = this._from + width;
    this._draw();
  }

  _zoom(factor, around = this._middle()) {
    this._show(around - (around - this._from) * factor, around + (this._to - around) * factor);
  }

  _middle() {
    const { start, ms } = this._run.timeline;
    const chosen = this._chosen < 0 ? -1 : start[this._chosen] + ms[this._chosen] / 2;
    return chosen >= this._from && chosen <= this._to ? chosen : (this._from + this._to) / 2;
  }

  _wheel(event) {
    if (!event.ctrlKey && !event.shiftKey) return;
    event.preventDefault();
    const by = event.deltaY || event.deltaX;
    if (event.shiftKey)
      this._show(...[this._from, this._to].map((time) => time + ((this._to - this._from) * Math.sign(by)) / 8));
    else this._zoom(by > 0 ? 1.25 : 0.8, this._time(event.offsetX));
  }

  _time(x) {
    return this._from + ((x - NAMES) / (this._canvas.clientWidth - NAMES)) * (this._to - this._from);
  }

  _x(time) {
    return NAMES + ((time - this._from) / (this._to - this._from)) * (this._canvas.clientWidth - NAMES);
  }

  /* The attempt under the pointer, -1 for none. */
  _at(event) {
    const lane = this._lanes[Math.floor((event.offsetY + this.box.scrollTop - AXIS) / LANE)];
    if (!lane || event.offsetY < AXIS || event.offsetX < NAMES) return -1;
    const { start, ms } = this._run.timeline;
    const near = (this._to - this._from) / (this._canvas.clientWidth - NAMES); // a pixel: what is shorter can be met, too
    const time = this._time(event.offsetX);
    return lane.attempts.findLast((at) => start[at] - near <= time && start[at] + ms[at] + near >= time) ?? -1;
  }

  _point(event) {
    const found = this._at(event);
    this._canvas.style.cursor = found >= 0 ? "pointer" : "default";
    if (this._chosen < 0) fill(this._told, found >= 0 ? this._words(found) : "Nothing chosen.");
    else this._canvas.title = found >= 0 ? inertLine(this._words(found)) : "";
  }

  _words(at) {
    const { timeline, states, tests } = this._run;
    const again = timeline.attempt[at] > 1 ? `, attempt ${timeline.attempt[at]}` : "";
    const lane = processName(timeline.lanes[timeline.lane[at]]);
    return `${tests.id[timeline.test[at]]}${again}: ${states[timeline.state[at]].word}, ${duration(timeline.ms[at])}, on ${lane}, ${duration(timeline.start[at])} after the first`;
  }

  _choose(at) {
    this._chosen = at;
    this._openButton.disabled = false;
    fill(this._told, this._words(at));
    const { start, ms } = this._run.timeline;
    if (start[at] < this._from || start[at] + ms[at] > this._to) {
      const half = (this._to - this._from) / 2;
      this._show(start[at] + ms[at] / 2 - half, start[at] + ms[at] / 2 + half);
    }
    const top = LANE * this._lanes.findIndex((lane) => lane.attempts.includes(at));
    if (top < this.box.scrollTop) this.box.scrollTop = top;
    else if (top + LANE + AXIS > this.box.scrollTop + this.box.clientHeight)
      this.box.scrollTop = top + LANE + AXIS - this.box.clientHeight;
    this._draw();
  }

  _openTest() {
    if (this._chosen >= 0)
      this._address.change(
        { ...EMPTY_VIEW, test: this._run.tests.id[this._run.timeline.test[this._chosen]] },
        { step: true },
      );
  }

  _key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const lane = this._lanes.findIndex(({ attempts }) => attempts.includes(this._chosen));
    const go = (by) =>
      this._choose(
        lane < 0
          ? this._lanes[0].attempts[0]
          : (this._lanes[lane].attempts.at(Math.max(0, this._place(lane) + by)) ?? this._chosen),
      );
    const acts = {
      ArrowRight: () => go(1),
      ArrowLeft: () => go(-1),
      ArrowDown: () => this._change(lane, 1),
      ArrowUp: () => this._change(lane, -1),
      "+": () => this._zoom(0.5),
      "-": () => this._zoom(2),
      Enter: () => this._openTest(),
    };
    if (!Object.hasOwn(acts, event.key)) return;
    event.preventDefault();
    event.stopPropagation();
    acts[event.key]();
  }

  _place(lane) {
    return this._lanes[lane].attempts.indexOf(this._chosen);
  }

  /* To the attempt of another lane that is nearest in time. */
  _change(lane, by) {
    const { attempts } = this._lanes[Math.max(0, Math.min(this._lanes.length - 1, lane < 0 ? 0 : lane + by))];
    const { start } = this._run.timeline;
    const time = this._chosen < 0 ? 0 : start[this._chosen];
    this._choose(
      attempts.reduce((best, at) => (Math.abs(start[at] - time) < Math.abs(start[best] - time) ? at : best)),
    );
  }

  _draw() {
    const width = this._space.clientWidth;
    const height = this.box.clientHeight;
    if (!width || !height) return;
    const sharp = devicePixelRatio || 1;
    this._canvas.width = Math.round(width * sharp);
    this._canvas.height = Math.round(height * sharp);
    this._canvas.style.height = `${height}px`;
    const context = this._canvas.getContext("2d");
    context.scale(sharp, sharp);
    context.font = `12px ${getComputedStyle(document.body).fontFamily}`;
    const paint = colours(this._run);
    this._drawAxis(context, paint, width, height);
    context.save();
    context.beginPath();
    context.rect(0, AXIS, width, height); // lanes are scrolled below the axis
    context.clip();
    const first = Math.floor(this.box.scrollTop / LANE);
    for (let lane = first; lane < Math.min(this._lanes.length, first + Math.ceil(height / LANE) + 1); lane += 1) {
      this._drawLane(context, paint, this._lanes[lane], AXIS + lane * LANE - this.box.scrollTop, width);
    }
    context.restore();
  }

  /* Attempts that share a pixel have the colour of the worst of them. */
  _drawLane(context, paint, lane, top, width) {
    const { start, ms, state } = this._run.timeline;
    context.fillStyle = paint.line;
    context.fillRect(NAMES, top + LANE - 1, width - NAMES, 1);
    const pixels = new Uint8Array(Math.ceil(width)).fill(NOTHING);
    const letters = [];
    for (const at of lane.attempts) {
      if (start[at] > this._to || start[at] + ms[at] < this._from) continue;
      const left = Math.max(NAMES, Math.floor(this._x(start[at])));
      const right = Math.min(pixels.length, Math.max(left + 2, Math.floor(this._x(start[at] + ms[at]))));
      const gap = right - left > 4 ? 1 : 0; // between those that can be told apart
      for (let x = left; x < right - gap; x += 1) pixels[x] = Math.min(pixels[x], state[at]);
      const room = right - left > 16 && this._insets[state[at]] <= LOWEST_WITH_LETTER;
      if (room) letters.push({ left, letter: this._run.states[state[at]].letter });
    }
    for (let x = NAMES, end = x; x < pixels.length; x = end) {
      while (end < pixels.length && pixels[end] === pixels[x]) end += 1;
      if (pixels[x] === NOTHING) continue;
      context.fillStyle = paint.states[pixels[x]];
      const inset = this._insets[pixels[x]];
      context.fillRect(x, top + inset, end - x, LANE - 1 - 2 * inset);
    }
    context.fillStyle = paint.page;
    for (const { left, letter } of letters) context.fillText(letter, left + 5, top + LANE / 2 + 4);
    if (lane.attempts.includes(this._chosen)) {
      const left = Math.max(NAMES, this._x(start[this._chosen]));
      context.strokeStyle = paint.text;
      context.lineWidth = 2;
      context.strokeRect(
        left - 1,
        top + 2,
        Math.max(4, this._x(start[this._chosen] + ms[this._chosen]) - left + 1),
        LANE - 5,
      );
    }
    context.fillStyle = paint.page;
    context.fillRect(0, top, NAMES, LANE);
    context.fillStyle = paint.text;
    context.fillText(inertLine(processName(lane)), 2, top + LANE / 2 + 4, NAMES - 10);
  }

  _drawAxis(context, paint, width, height) {
    const step = niceStep((this._to - this._from) / Math.max(2, (width - NAMES) / 110));
    for (let time = Math.ceil(this._from / step) * step; time <= this._to; time += step) {
      const x = this._x(time);
      context.fillStyle = paint.line;
      context.fillRect(x, AXIS - 6, 1, height);
      context.fillStyle = paint.dim;
      const words = time === 0 ? "0" : duration(time);
      context.fillText(words, Math.min(x + 4, width - context.measureText(words).width - 2), AXIS - 8);
    }
  }

  /* How busy each process was, as a table: the same for who cannot see the drawing. */
  _busy() {
    const { start, ms } = this._run.timeline;
    const rows = this._lanes.slice(0, 200).map((lane) => {
      const { attempts } = lane;
      const busy = attempts.reduce((sum, at) => sum + ms[at], 0);
      const last = attempts.reduce((latest, at) => Math.max(latest, start[at] + ms[at]), 0);
      return el(
        "tr",
        {},
        el("th", { scope: "row" }, processName(lane)),
        ...[
          count(attempts.length),
          duration(busy),
          `${Math.min(100, (busy / this._end) * 100).toFixed(0)} %`,
          duration(start[attempts[0]]),
          duration(last),
        ].map((cell) => el("td", {}, cell)),
      );
    });
    const head = ["Worker", "Attempts", "Busy", "Of the run", "First began", "Last ended"].map((words) =>
      el("th", { scope: "col" }, words),
    );
    return el(
      "div",
      { class: "scrolled", tabindex: 0, role: "group", "aria-label": "Workers" },
      el("table", {}, el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)),
    );
  }
}

/* Lanes in the order of their processes' names (gw2 before gw10), each with its attempts by time. */
function lanesOf(timeline) {
  const lanes = timeline.lanes.map((lane) => ({ ...lane, attempts: [] }));
  timeline.lane.forEach((lane, at) => lanes[lane].attempts.push(at));
  return lanes.sort((a, b) => BY_NAME.compare(processName(a), processName(b)) || BY_NAME.compare(a.source, b.source));
}

/* How far a bar keeps from the edges of its lane: what is bad is taller, what was skipped lower. Colour is not alone. */
function insetOf(state) {
  if (state.bad) return 1;
  return ["skipped", "xfailed"].includes(state.name) ? 9 : 5;
}

function niceStep(least) {
  const power = 10 ** Math.floor(Math.log10(least));
  return [1, 2, 5, 10].map((times) => times * power).find((step) => step >= least);
}

function legend(run) {
  const met = new Set(run.timeline.state);
  return el(
    "p",
    { class: "legend" },
    run.states.filter((_, number) => met.has(number)).map((state) => stateWord(state)),
  );
}

/* The colours of the style sheet as a canvas takes them. */
function colours(run) {
  const sample = el("span", { hidden: "" });
  document.body.append(sample);
  const colour = (kind, property = "color") => {
    sample.className = kind;
    return getComputedStyle(sample)[property];
  };
  const found = {
    states: run.states.map((state) => colour(`is-${state.name}`)),
    text: colour("paint-text"),
    dim: colour("paint-dim"),
    line: colour("paint-line"),
    page: colour("paint-page"),
  };
  sample.remove();
  return found;
}
