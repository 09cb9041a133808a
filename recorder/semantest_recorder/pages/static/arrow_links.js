"use strict";

/* The arrow keys go to the test before and to the next one, unless they are wanted for something else. */
document.addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
  if (event.target.closest("input, textarea, select, pre, summary, .tabs, .scrolled")) return;
  document.querySelector(`a[data-arrow="${event.key}"]`)?.click();
});
