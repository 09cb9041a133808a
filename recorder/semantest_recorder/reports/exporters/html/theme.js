"use strict";

/* What the reader chose, kept where the browser allows a file to keep anything. */
const kept = {
  get(name) {
    try {
      return localStorage.getItem(`semantest.${name}`);
    } catch {
      return null;
    }
  },
  set(name, value) {
    try {
      localStorage.setItem(`semantest.${name}`, value);
    } catch {
      // It holds until the page is closed, then.
    }
  },
};

/* Before anything is drawn: a dark page does not flash up in white. */
if (["dark", "light"].includes(kept.get("theme"))) document.documentElement.dataset.theme = kept.get("theme");
