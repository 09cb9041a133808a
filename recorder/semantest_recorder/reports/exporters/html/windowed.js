"use strict";

/* A list of any length, of which only the rows that can be seen (and some around them) are in the page.

   `draw(position)` gives a row's element, `choose(position)` is told of a row that becomes the current one, `act(position, key)`
   of Enter (`key` is true) or a click on it. `ownKey(event, position)` and `ownClick(target, position)` say whether the
   owner of the list took it. All rows have the same height, in rem. */
const AROUND = 8;

class WindowedList {
  constructor({ label, id, rowHeight, draw, choose, act, role = "listbox", rowRole = "option", ownKey, ownClick }) {
    Object.assign(this, { draw, choose, act, id, rowRole, ownKey, ownClick });
    this.length = 0;
    this.current = -1;
    this._rowHeightRem = rowHeight;
    this._rows = new Map();
    this._inside = el("div", { class: "rows", role: "presentation" });
    this.box = el("div", { class: "windowed", id, role, tabindex: 0, "aria-label": label }, this._inside);
    this.box.addEventListener("scroll", () => this._drawSoon());
    this.box.addEventListener("keydown", (event) => this._key(event));
    this.box.addEventListener("click", (event) => this._click(event));
    new ResizeObserver(() => this._drawSoon()).observe(this.box);
  }

  get rowHeight() {
    return this._rowHeightRem * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  /* Shows `length` rows anew; `current` is the one that is chosen, -1 for none. */
  show(length, current = -1) {
    this.length = length;
    this.current = current;
    this._forget();
    this._inside.style.height = `${length * this.rowHeight}px`;
    this._draw();
  }

  /* Makes a row the current one and brings it into sight. */
  select(position) {
    if (!this.length) return;
    this.mark(Math.max(0, Math.min(this.length - 1, position)));
    this.choose(this.current);
  }

  mark(position) {
    this.current = position;
    if (position >= 0) this._reveal(position);
    this._forget();
    this._draw();
  }

  _reveal(position) {
    const top = position * this.rowHeight;
    const { scrollTop, clientHeight } = this.box;
    if (top < scrollTop) this.box.scrollTop = top;
    else if (top + this.rowHeight > scrollTop + clientHeight) this.box.scrollTop = top + this.rowHeight - clientHeight;
  }

  _forget() {
    this._rows.clear();
    this._inside.replaceChildren();
  }

  _drawSoon() {
    this._asked ??= requestAnimationFrame(() => {
      this._asked = null;
      this._draw();
    });
  }

  _draw() {
    const height = this.rowHeight;
    const first = Math.max(0, Math.floor(this.box.scrollTop / height) - AROUND);
    const last = Math.min(this.length, Math.ceil((this.box.scrollTop + this.box.clientHeight) / height) + AROUND);
    for (const [position, row] of this._rows) {
      if (position >= first && position < last) continue;
      row.remove();
      this._rows.delete(position);
    }
    for (let position = first; position < last; position += 1)
      if (!this._rows.has(position)) this._add(position, height);
    const active = this._rows.get(this.current);
    if (active) this.box.setAttribute("aria-activedescendant", active.id);
    else this.box.removeAttribute("aria-activedescendant");
  }

  _add(position, height) {
    const row = this.draw(position);
    row.id = `${this.id}-${position}`;
    row.classList.add("row");
    row.dataset.position = position;
    row.style.top = `${position * height}px`;
    row.setAttribute("role", this.rowRole);
    if (!row.hasAttribute("aria-setsize")) {
      row.setAttribute("aria-setsize", this.length);
      row.setAttribute("aria-posinset", position + 1);
    }
    row.setAttribute("aria-selected", position === this.current);
    // In the order of the list, for who hears the page.
    const next = [...this._inside.children].find((other) => Number(other.dataset.position) > position);
    this._inside.insertBefore(row, next ?? null);
    this._rows.set(position, row);
  }

  _click(event) {
    const row = event.target.closest(".row");
    if (!row) return;
    const position = Number(row.dataset.position);
    if (this.ownClick?.(event.target, position)) return;
    this.select(position);
    this.act?.(position, false);
  }

  _key(event) {
    if (event.altKey || event.ctrlKey || event.metaKey) return;
    const page = Math.max(1, Math.floor(this.box.clientHeight / this.rowHeight) - 1);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (this.current >= 0 && this.ownKey?.(event, this.current)) event.preventDefault();
    else if (event.key in steps) {
      event.preventDefault();
      this.select(this.current < 0 ? (event.key === "End" ? Infinity : 0) : this.current + steps[event.key]);
    } else if (event.key === "Enter" && this.current >= 0) {
      event.preventDefault();
      this.act?.(this.current, true);
    }
  }
}
