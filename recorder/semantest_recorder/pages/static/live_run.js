"use strict";

/* A run while it happens. The server draws the page whole; what changes then comes in sections, and is drawn the same.
   Everything is put in as text: nothing of what tests say becomes markup. */
{
  const LINES = 100, STACKS = 20, FAR = 3, NOISE_MS = 500;
  const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
  let stop = null;

  function make(name, options = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(options)) if (value) made.setAttribute(key, value);
    made.append(...inside.filter((one) => one !== null && one !== ""));
    return made;
  }
  /* A long name goes on in the next line between its words (words.py, breakable). */
  function testLink(told) {
    const parts = told.test.split(/(?<=[_/[]|::)/);
    return make("a", { class: "id", href: told.href }, ...parts.flatMap((part, place) => (place ? [make("wbr"), part] : [part])));
  }
  const stateClass = (state) => (/^[a-z_]+$/.test(state) ? `is-${state}` : "");
  const clock = (iso) => (iso ? CLOCK.format(new Date(iso)) : "");

  /* As reports/wording.py says it. */
  function duration(ms) {
    if (ms < 999.5) return `${Math.max(0, ms).toFixed(ms >= 9.95 ? 0 : 1)} ms`;
    const seconds = ms / 1000;
    if (seconds < 59.95) return `${seconds.toFixed(seconds < 9.995 ? 2 : 1)} s`;
    const whole = Math.round(seconds), minutes = Math.floor(whole / 60);
    const [large, unit, small, part] = minutes < 60 ? [minutes, "min", whole % 60, "s"] : [Math.floor(minutes / 60), "h", minutes % 60, "min"];
    return small ? `${large} ${unit} ${small} ${part}` : `${large} ${unit}`;
  }
  /* What goes on is told in whole steps that an eye can follow. */
  function lasting(ms) {
    if (ms < 60000) return `${(Math.max(0, ms) / 1000).toFixed(1)} s`;
    const whole = Math.round(ms / 1000);
    return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : duration(ms);
  }

  function follow(board) {
    const part = (name) => board.querySelector(`[data-part="${name}"]`);
    const ask = board.dataset.ask;
    let head = null, running = [], idle = [], clockAt = 0, serverAt = null;
    const now = () => (serverAt === null ? Date.now() : serverAt + performance.now() - clockAt);

    const draw = {
      head(told) {
        head = told;
        part("progress").textContent = told.progress;
        part("rate").textContent = told.rate || "–";
        part("stop").hidden = !told.stopReason;
        part("stop").textContent = told.stopReason;
        part("over").hidden = !told.closed;
        part("over-words").textContent = `The run is over: ${told.words}.`;
        part("elapsed-name").textContent = told.closed ? "Took" : "Runs for";
        // Branch and commit come a little after the run itself.
        if (told.closed !== ("closed" in board.dataset) || told.checkout !== board.dataset.checkout) {
          board.toggleAttribute("data-closed", told.closed);
          board.dataset.checkout = told.checkout;
          refreshHead();
        }
      },
      bar(parts) {
        part("bar").replaceChildren(...parts.map(([state, x, width]) => rect(x, width, stateClass(state))));
      },
      counts(told) {
        part("counts").replaceChildren(...told.flatMap(([state, words]) => [make("span", { class: stateClass(state) }, words), " "]));
      },
      running(told) { running = told; },
      idle(told) { idle = told; },
      failures(told) {
        part("failures").replaceChildren(...(told.length ? told.map(failure) : [make("li", { class: "dim" }, "None so far.")]));
      },
      waiting(told) {
        const tests = told.tests.map((test) => make("li", { class: "id" }, test));
        part("waiting").replaceChildren(...(tests.length ? tests : [make("li", { class: "dim" }, "No test waits.")]));
        part("waiting-total").textContent = `${told.total.toLocaleString("en")} wait`;
      },
      wholeLog(lines) { part("log").replaceChildren(); addLines(lines); },
      log(lines) { addLines(lines); },
      stacks(told) { told.forEach(addStack); },
    };

    function rect(x, width, name) {
      const made = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      for (const [key, value] of Object.entries({ x, width, height: 8, class: name })) made.setAttribute(key, value);
      return made;
    }
    function failure(told) {
      const badge = make("span", { class: `badge ${stateClass(told.state)}`, "aria-hidden": "true" }, told.letter);
      const word = make("span", { class: `word ${stateClass(told.state)}` }, told.word);
      const said = make("span", { class: "said" }, badge, " ", word, told.forgiven ? make("small", {}, "in quarantine") : null);
      const link = testLink(told);
      return make("li", {}, said, link, told.message ? make("p", { class: "message" }, told.message) : null);
    }
    function addLines(lines) {
      const log = part("log");
      const follows = log.scrollTop + log.clientHeight >= log.scrollHeight - 30;
      log.append(...lines.map((line) => {
        const time = make("time", { datetime: line.time }, clock(line.time));
        const words = make("span", { class: stateClass(line.state) }, line.words);
        return make("li", {}, time, " ", make("b", {}, line.worker), " ", words, " ", make("span", { class: "where" }, line.test));
      }));
      while (log.childElementCount > LINES) log.firstElementChild.remove();
      if (follows) log.scrollTop = log.scrollHeight;
    }
    function addStack(dump) {
      const box = part("stacks");
      if ([...box.children].some((one) => one.dataset.key === dump.key)) return;
      const time = make("time", { datetime: dump.time }, clock(dump.time));
      const where = dump.test ? make("span", {}, " in ", make("span", { class: "id" }, dump.test)) : null;
      const text = dump.problem ? make("p", { class: "problem" }, dump.problem) : make("pre", { tabindex: "0" }, dump.text);
      box.prepend(make("details", { class: "card dump", "data-key": dump.key, open: "open" },
        make("summary", {}, `What ${dump.worker} did at `, time, where), text));
      while (box.childElementCount > STACKS) box.lastElementChild.remove();
    }

    /* Rows stay where they are while their worker does: a button keeps its focus. */
    function drawRows() {
      const body = part("running");
      const rows = running.length + idle.length;
      const columns = ask ? 5 : 4;
      if (!rows) {
        const words = head && head.closed ? "Nothing runs any more." : "No worker is there yet.";
        const cell = make("td", { class: "whole dim", colspan: columns }, words);
        body.replaceChildren(make("tr", { class: "idle" }, cell));
        return;
      }
      const before = new Map([...body.rows].map((row) => [row.dataset.key, row]));
      const seen = new Map();
      const drawn = [...running, ...idle.map((worker) => ({ worker, test: null }))].map((told) => {
        const place = seen.get(told.worker) ?? 0;
        seen.set(told.worker, place + 1);
        const key = `${told.worker}\u0000${place}`;
        const row = before.get(key) ?? emptyRow(key, told.worker, columns);
        fillRow(row, told);
        return row;
      });
      drawn.forEach((row, place) => { if (body.rows[place] !== row) body.insertBefore(row, body.rows[place] ?? null); });
      while (body.rows.length > rows) body.lastElementChild.remove();
    }
    function emptyRow(key, worker, columns) {
      const row = make("tr", {}, make("th", { scope: "row", class: "worker" }, worker), make("td", { class: "whole" }), make("td"), make("td"));
      row.dataset.key = key;
      if (columns === 5) row.append(make("td", {}, askButton(worker)));
      return row;
    }
    function askButton(worker) {
      const button = make("button", { type: "button", "data-worker": worker }, "What is it doing?");
      button.setAttribute("aria-label", `What is ${worker} doing?`);
      return button;
    }
    function fillRow(row, told) {
      const [, test, phase, since] = row.cells;
      const name = told.test === null ? null : `${told.test}\u0000${told.attempt}`;
      row.classList.toggle("idle", name === null);
      if (row.dataset.test !== (name ?? "")) {
        row.dataset.test = name ?? "";
        if (name === null) {
          test.className = "whole dim";
          test.replaceChildren("runs no test now");
          since.replaceChildren();
        } else {
          test.className = "whole";
          const again = told.attempt > 1 ? make("small", {}, ` attempt ${told.attempt}`) : null;
          test.replaceChildren(...[testLink(told), again].filter(Boolean));
          const bar = document.createElementNS("http://www.w3.org/2000/svg", "svg");
          for (const [key, value] of Object.entries({ class: "usual-bar", viewBox: "0 0 100 8", preserveAspectRatio: "none", "aria-hidden": "true" })) bar.setAttribute(key, value);
          bar.append(rect(0, 0, ""));
          since.replaceChildren(make("span", { class: "for" }), " ", make("small"), bar);
        }
      }
      phase.textContent = told.phase ?? "";
      row.told = told;
      tellSince(row);
    }
    function tellSince(row) {
      const told = row.told;
      if (!told || told.test === null || told.startedMs === null) return;
      const [, , , since] = row.cells;
      const elapsed = Math.max(0, now() - told.startedMs);
      const usual = told.usualMs !== null;
      const over = usual && elapsed > told.p95Ms + NOISE_MS;
      const far = over && elapsed > FAR * told.p95Ms;
      since.querySelector(".for").textContent = lasting(elapsed);
      since.querySelector("small").textContent = !usual ? "" :
        over ? `${far ? "far " : ""}longer than usual: ${duration(told.usualMs)}` : `usually ${duration(told.usualMs)}`;
      since.querySelector("rect").setAttribute("width", usual ? Math.min(100, (100 * elapsed) / Math.max(told.p95Ms, 1)) : 0);
      row.classList.toggle("lasts", over);
    }

    function tick() {
      if (!head) return;
      const { startedMs, endedMs, closed, leftMs } = head;
      if (startedMs !== null) part("elapsed").textContent = closed ? duration((endedMs ?? now()) - startedMs) : lasting(now() - startedMs);
      part("left").textContent = closed ? "ended" : leftMs === null ? "–" :
        `in ${duration(Math.max(1000, Math.round(leftMs / 1000) * 1000))}, at ${CLOCK.format(new Date(Date.now() + leftMs))}`;
      for (const row of part("running").rows) tellSince(row);
    }

    /* One after the other: what is drawn anew is another element. */
    let headDrawn = Promise.resolve();
    function refreshHead() {
      headDrawn = headDrawn.then(() => {
        const target = document.getElementById("run-head");
        return target && htmx.ajax("GET", location.href, { target, select: "#run-head", swap: "outerHTML" });
      }).catch(() => {});
    }

    async function askWorker(button) {
      const worker = button.dataset.worker;
      button.disabled = true;
      button.textContent = "Asking …";
      let said = null;
      try {
        const answer = await fetch(`${ask}${encodeURIComponent(worker)}/stack`, { method: "POST", headers: { Accept: "application/json" } });
        // What the process itself says, or why it cannot, comes as an event of the run.
        if (!answer.ok) said = (await answer.json()).detail ?? `The recorder answers ${answer.status}.`;
      } catch {
        said = "The recorder cannot be reached.";
      }
      button.disabled = false;
      button.textContent = "What is it doing?";
      const iso = new Date().toISOString();
      if (said) addStack({ key: `${worker} ${iso}`, time: iso, worker, test: "", text: "", problem: said });
    }
    const onClick = (event) => {
      const button = event.target.closest("button[data-worker]");
      if (button) askWorker(button);
    };
    board.addEventListener("click", onClick);

    part("log").scrollTop = part("log").scrollHeight;
    const link = part("link");
    let stood = null;
    function tellLink() {
      const words = !stood ? "Connection lost, trying again …" : head && head.closed ? "It is over. What comes late is shown, too." : "Live";
      if (stood !== null && link.textContent !== words) link.textContent = words;
    }
    const timer = setInterval(tick, 200);
    const leave = semantestSocket(board.dataset.feed, (message) => {
      if (message.now) [serverAt, clockAt] = [message.now, performance.now()];
      const sections = message.sections ?? {};
      for (const [name, told] of Object.entries(sections)) draw[name]?.(told);
      if ("running" in sections || "idle" in sections || "head" in sections) drawRows();
      tellLink();
      tick();
    }, (stands) => {
      link.dataset.state = stands ? "on" : "off";
      stood = stands;
      tellLink();
    });
    return () => { clearInterval(timer); leave(); board.removeEventListener("click", onClick); };
  }

  function begin() {
    const board = document.getElementById("board");
    for (const time of board?.querySelectorAll("time[data-clock]") ?? []) time.textContent = clock(time.dateTime);
    if (board === begin.board) return;
    if (stop) stop();
    stop = null;
    begin.board = board;
    if (board && !("closed" in board.dataset)) stop = follow(board);
  }
  begin();
  document.addEventListener("htmx:load", begin);
}
