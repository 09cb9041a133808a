"use strict";

/* What the reader chose: until the page is closed, and for longer where the browser lets a file keep anything. */
const chosen = new Map();
const kept = {
  get(name) {
    if (chosen.has(name)) return chosen.get(name);
    try {
      return localStorage.getItem(`semantest.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    chosen.set(name, value);
    try {
      localStorage.setItem(`semantest.${name}`, value);
    } catch {
      // Not for longer, then.
    }
  },
};

/* Before anything is drawn: a dark page does not flash up in white. */
if (["dark", "light"].includes(kept.get("theme"))) document.documentElement.dataset.theme = kept.get("theme");
