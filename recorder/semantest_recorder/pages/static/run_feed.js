"use strict";

/* Tells a page that has an element with [data-run-feed] what happens to runs: an event `semantest:runs` on the body,
   with [{run, state}] in its detail. htmx hears it with hx-trigger="semantest:runs from:body". */
if (document.querySelector("[data-run-feed]")) {
  const tell = (name, detail) => document.body.dispatchEvent(new CustomEvent(name, { detail }));
  const open = (state) => state === "running" || state === "pending";
  const known = new Map();
  let lost = false;
  semantestSocket("/live/feed", (message) => {
    if (!message.runs) return;
    tell("semantest:runs", message.runs);
    for (const { run, state } of message.runs) {
      if (open(state) && known.get(run) !== state) another(run);
      known.set(run, state);
    }
  }, (stands) => {
    if (stands && lost) tell("semantest:runs", []);
    lost = !stands;
  });

  /* The page /live goes on to a run that begins, unless one that goes on is being looked at. */
  function another(run) {
    const live = document.getElementById("live");
    if (!live || live.dataset.shown === run) return;
    const board = document.getElementById("board");
    if (board && !("closed" in board.dataset)) {
      if (!known.has(run)) document.getElementById("another").hidden = false;
    } else {
      tell("semantest:another-run");
    }
  }
}
