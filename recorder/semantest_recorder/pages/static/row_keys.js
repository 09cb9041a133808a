"use strict";

/* Rows of results: j and k, or the arrows, go from one to the next; Enter opens, as it does with any link. */
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
  const links = [...document.querySelectorAll("[data-rows] a.result")];
  const at = links.indexOf(document.activeElement);
  /* Arrows scroll the page until somebody is in the rows. */
  if (!step || !links.length || (event.key.startsWith("Arrow") && at < 0)) return;
  event.preventDefault();
  const next = links[at < 0 ? 0 : Math.min(Math.max(at + step, 0), links.length - 1)];
  next.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
});
