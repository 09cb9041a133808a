"use strict";

/* One attempt of a test: times, error, what it told, what it printed. */

/* Longer texts, and longer lists of steps and logs, are shown in part until all is asked for. */
const TEXT_SHOWN = 100_000;
const ENTRIES_SHOWN = 300;
/* A traceback of so many lines is seen at a glance: it says the message at its end. */
const GLANCE = 16;

function badge(state) {
  return el("span", { class: `badge is-${state.name}`, "aria-hidden": "true" }, state.letter);
}

function stateWord(state) {
  return el("span", { class: `word is-${state.name}` }, badge(state), " ", state.word);
}

function attemptCard(run, attempt, { several, all = false }) {
  const state = run.states[run.stateNumber.get(attempt.outcome ?? "running")];
  const facts = [duration(attempt.durationMs)];
  if (attempt.job) facts.push(`job ${attempt.job}`);
  if (attempt.worker !== "main") facts.push(`worker ${attempt.worker}`);
  if (["crashed", "timeout", "interrupted"].includes(attempt.outcome))
    facts.push(`in ${attempt.phase ?? "an unknown phase"}`);
  if (attempt.timeoutMs !== null) facts.push(`limit ${duration(attempt.timeoutMs)}`);
  return el(
    "article",
    { class: "attempt", "aria-label": `Attempt ${attempt.attempt}` },
    el("h3", {}, several && `Attempt ${attempt.attempt} `, stateWord(state), el("small", {}, facts.join(" · "))),
    phases(attempt.phases),
    errorPart(attempt, all),
    subtests(attempt.subtests),
    told(attempt, all),
    attempt.lastOutput && section("Last output before it died", textBlock(attempt.lastOutput, all)),
    attempt.output.map((output) => outputPart(output, all)),
    properties(attempt.userProperties),
  );
}

function section(title, ...children) {
  return el("section", {}, el("h4", {}, title), ...children);
}

/* Setup, call and teardown as parts of a bar, with their times. */
function phases(times) {
  const known = ["setup", "call", "teardown"].filter((phase) => typeof times[phase] === "number");
  if (!known.length) return null;
  const bar = el("div", { class: "phases", "aria-hidden": "true" });
  for (const phase of known) {
    const part = el("span", { class: `phase-${phase}` });
    part.style.flexGrow = Math.max(times[phase], 0);
    bar.append(part);
  }
  const words = known.map((phase) => el("span", { class: `phase-${phase}` }, `${phase} ${duration(times[phase])}`));
  return el("div", {}, bar, el("p", { class: "phase-words" }, words));
}

const STRICT = "[XPASS(strict)]";

function errorPart(attempt, all) {
  const { error } = attempt;
  if (!error) return attempt.reason ? el("p", { class: "reason" }, attempt.reason) : null;
  const message = error.message ?? "";
  if (message.startsWith(STRICT)) {
    const reason = message.slice(STRICT.length).trim();
    return el(
      "p",
      { class: "reason" },
      `It passed, but it is marked as failing (xfail, strict)${reason && `: ${reason}`}`,
    );
  }
  const place = error.file ? `${error.file}${error.line === null ? "" : `:${error.line}`}` : "";
  const where = [place, error.type, error.phase && error.phase !== "call" ? `in ${error.phase}` : ""].filter(Boolean);
  const parts = [el("h4", {}, "Error", el("small", {}, where.join(" · ")))];
  const stack = (error.stack ?? "").trimEnd();
  const seen = stack.split("\n").length <= GLANCE && stack.includes(message.split("\n", 1)[0].trim());
  if (message && !seen) parts.push(textBlock(message, all, "message"));
  if (stack) parts.push(textBlock(stack, all, "traceback"));
  if (error.teardown) {
    const text = error.teardown.stack ?? error.teardown.message ?? "";
    parts.push(el("h4", {}, "The teardown failed, too"), textBlock(text.trimEnd(), all, "traceback"));
  }
  if (attempt.reason && attempt.reason !== message) parts.push(el("p", { class: "reason" }, attempt.reason));
  return el("section", { class: "error" }, parts);
}

/* A text as it was written; of a long one the end, where errors are, and a button for the rest. */
function textBlock(text, all = false, kind = "output") {
  const lines = kind === "traceback" ? tracebackLines : (part) => [part];
  const block = el("pre", { class: kind, tabindex: 0, role: "group", "aria-label": kind });
  if (all || text.length <= TEXT_SHOWN) return fill(block, lines(text));
  const cut = text.indexOf("\n", text.length - TEXT_SHOWN) + 1 || text.length - TEXT_SHOWN;
  fill(block, lines(text.slice(cut)));
  const more = el("button", { type: "button" }, `Show the ${count(cut)} characters before`);
  more.addEventListener("click", () => {
    fill(block, lines(text));
    more.remove();
    block.focus();
  });
  return el("div", {}, more, block);
}

/* Runs of lines of one kind: pytest begins what it says of the error with E, and the line that raised with >. */
function tracebackLines(text) {
  const runs = [];
  for (const line of text.split("\n")) {
    const kind = /^E(?=\s|$)/.test(line) ? "why" : line.startsWith(">") ? "raised" : "";
    if (runs.length && runs.at(-1).kind === kind) runs.at(-1).lines.push(line);
    else runs.push({ kind, lines: [line] });
  }
  return runs.map(({ kind, lines }, at) => {
    const words = lines.join("\n") + (at < runs.length - 1 ? "\n" : "");
    return kind ? el("span", { class: kind }, words) : words;
  });
}

function subtests({ passed, failed, failures }) {
  if (!passed && !failed) return null;
  const entries = failures.map(({ description, message }) =>
    el("li", {}, el("b", {}, description), message ? `: ${message.trim().split("\n", 1)[0]}` : ""),
  );
  if (failed > failures.length) entries.push(el("li", {}, `and ${count(failed - failures.length)} more before these`));
  return section(`Subtests: ${passed} passed, ${failed} failed`, entries.length > 0 && el("ul", {}, entries));
}

/* Steps as a tree with the logs and attachments that were told in them, in their order. */
function told(attempt, all) {
  if (!attempt.steps.length && !attempt.logs.length && !attempt.attachments.length) return null;
  const room = { left: all ? Infinity : ENTRIES_SHOWN };
  const known = new Set();
  const collect = (steps) => steps.forEach((step) => (known.add(step.stepId), collect(step.steps)));
  collect(attempt.steps);
  const inside = Map.groupBy([...attempt.logs, ...attempt.attachments], ({ stepId }) =>
    known.has(stepId) ? stepId : null,
  );
  const made = section("Steps and attachments", level(attempt.steps, null, inside, room));
  if (room.left < 0) {
    const more = el("button", { type: "button" }, `Show ${count(-room.left)} more`);
    more.addEventListener("click", () => made.replaceWith(told(attempt, true)));
    made.append(more);
  }
  if (attempt.eventsLeftOut)
    made.append(el("p", {}, `${plural(attempt.eventsLeftOut, "more event")} not in this report.`));
  return made;
}

function level(steps, stepId, inside, room) {
  const entries = [...steps, ...(inside.get(stepId) ?? [])].sort((a, b) => a.seq - b.seq);
  inside.delete(stepId); // ids may come twice: what is in a step is told once
  const shown = entries.flatMap((entry) => {
    room.left -= 1;
    if ("steps" in entry) {
      const nested = level(entry.steps, entry.stepId, inside, room);
      return room.left < 0 && !nested ? [] : [stepItem(entry, nested)];
    }
    if (room.left < 0) return [];
    return ["level" in entry ? logItem(entry) : attachmentItem(entry)];
  });
  return shown.length ? el("ul", { class: "told" }, shown) : null;
}

const STEP_LETTERS = { passed: "✓", failed: "F", skipped: "s", open: "…" };

function stepItem(step, nested) {
  const letter = STEP_LETTERS[step.status] ?? "?";
  const kind = Object.hasOwn(STEP_LETTERS, step.status) ? step.status : "skipped";
  const words = [step.status === "open" ? "not finished" : step.status];
  if (step.durationMs !== null) words.push(duration(step.durationMs));
  const why = step.error && [step.error.type, step.error.message].filter(Boolean).join(": ");
  return el(
    "li",
    { class: "step" },
    el("span", { class: `badge is-${kind === "open" ? "interrupted" : kind}`, "aria-hidden": "true" }, letter),
    " ",
    el("b", {}, step.name),
    el("small", {}, words.join(", ")),
    why && el("pre", { class: "message" }, why),
    nested,
  );
}

function logItem(log) {
  const data =
    log.data === null || (typeof log.data === "object" && !Object.keys(log.data).length) ? "" : asText(log.data);
  const known = ["debug", "info", "warning", "warn", "error", "event"].includes(log.level);
  return el(
    "li",
    { class: `log ${known ? `log-${log.level}` : ""}` },
    el("span", { class: "level" }, log.level),
    " ",
    log.message,
    data && el("code", {}, data),
  );
}

function attachmentItem(one) {
  const facts = [one.mediaType, one.size === null ? null : bytes(one.size)].filter(Boolean).join(", ");
  const head = [el("span", { class: "level" }, one.kind), " ", el("b", {}, one.name), el("small", {}, facts)];
  if (one.omitted !== null) return el("li", { class: "attachment" }, head, el("p", {}, `Not kept: ${one.omitted}`));
  const address = pictureAddress(one.sha256);
  if (address)
    return el("li", { class: "attachment" }, el("figure", {}, picture(address, one.name), el("figcaption", {}, head)));
  const where = one.sha256 ? ["Not in this file; SHA-256 ", el("code", {}, one.sha256)] : "Not in this file";
  return el("li", { class: "attachment" }, head, el("p", {}, where));
}

/* A picture as wide as there is room; its button shows it in its own size. */
function picture(address, name) {
  const image = el("img", { src: address, alt: name || "picture" });
  const button = el(
    "button",
    { type: "button", class: "picture", "aria-pressed": "false", "aria-label": `Enlarge ${name}` },
    image,
  );
  button.addEventListener("click", () => {
    button.setAttribute("aria-pressed", button.classList.toggle("large"));
  });
  return button;
}

function outputPart(output, all) {
  const title = `${output.stream}${output.phase ? ` in ${output.phase}` : ""}`;
  const dropped = output.dropped ? el("small", {}, `${count(output.dropped)} characters left out`) : null;
  return el("section", {}, el("h4", {}, title, dropped), textBlock(output.text.replace(/\n$/, ""), all));
}

function properties(pairs) {
  if (!pairs.length) return null;
  return section("Properties", facts(pairs.map(([name, value]) => [asText(name), asText(value)])));
}

/* Names and what they stand for. */
function facts(pairs) {
  return el(
    "dl",
    { class: "facts" },
    pairs.map(([name, ...values]) => el("div", {}, el("dt", {}, name), el("dd", {}, values))),
  );
}
