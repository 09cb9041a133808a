"use strict";

/* The data blocks of the page (docs/design/html-report.md): zlib in base64, each unpacked when it is needed. */

const FORMAT = 1;
/* How many blocks with details stay unpacked. */
const KEPT_BLOCKS = 16;

async function unpacked(block) {
  const text = atob(block.textContent);
  const data = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) data[at] = text.charCodeAt(at);
  const stream = new Blob([data]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).json();
}

/* The page may be shown while the rest of the file is still read. */
const wholeFile = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve, { once: true });
  else resolve();
});

/* A run: its tests by number, in the order of the plan. */
class Run {
  constructor(index) {
    if (index.format !== FORMAT) throw new Error(`the data has format ${index.format}, this page knows ${FORMAT}`);
    Object.assign(this, { info: index.run, counts: index.counts, verdict: index.verdict, reasons: index.reasons });
    Object.assign(this, { rerun: index.rerun, chain: index.chain, states: index.states, warnings: index.warnings });
    Object.assign(this, { tests: index.tests, timeline: index.timeline });
    this.total = index.tests.id.length;
    this.stateNumber = new Map(index.states.map((state, number) => [state.name, number]));
    this._numbers = null;
    this._sought = null;
    this._blocks = new Map();
  }

  state(test) {
    return this.states[this.tests.state[test]];
  }

  suite(test) {
    return this.tests.suites[this.tests.suite[test]];
  }

  worker(test) {
    return this.tests.workers[this.tests.worker[test]];
  }

  markers(test) {
    return this.tests.markerSets[this.tests.markers[test]];
  }

  file(test) {
    return this.tests.files[this.tests.file[test]];
  }

  message(test) {
    return this.tests.message[test] ?? "";
  }

  /* The id without the suite that it begins with. */
  name(test) {
    const id = this.tests.id[test];
    const suite = this.suite(test);
    return id.startsWith(`${suite}::`) ? id.slice(suite.length + 2) : id;
  }

  /* The number of the test with this id, -1 when there is none. */
  numberOf(id) {
    this._numbers ??= new Map(this.tests.id.map((own, number) => [own, number]));
    return this._numbers.get(id) ?? -1;
  }

  /* What a search looks through. */
  sought(test) {
    this._sought ??= this.tests.id.map((id, number) => `${id}\n${this.message(number)}`.toLowerCase());
    return this._sought[test];
  }

  inState(...names) {
    const wanted = new Set(names.map((name) => this.stateNumber.get(name)));
    return this.all().filter((test) => wanted.has(this.tests.state[test]));
  }

  all() {
    return Array.from({ length: this.total }, (_, test) => test);
  }

  /* The attempts of a test with all details. */
  async attempts(test) {
    await wholeFile;
    this._firsts ??= [...document.querySelectorAll("script[data-first]")].map((block) => Number(block.dataset.first));
    const first = this._firsts.findLast((number) => number <= test);
    if (!this._blocks.has(first)) {
      this._blocks.set(first, unpacked(document.querySelector(`script[data-first="${first}"]`)));
      if (this._blocks.size > KEPT_BLOCKS) this._blocks.delete(this._blocks.keys().next().value);
    }
    return (await this._blocks.get(first))[test - first];
  }
}

/* The picture with this hash as an address for <img>, null when it is not in the file. */
function pictureAddress(sha256) {
  if (!/^[0-9a-f]{64}$/.test(sha256 ?? "")) return null;
  const block = document.querySelector(`script[data-picture="${sha256}"]`);
  return block && `data:${block.dataset.kind};base64,${block.textContent}`;
}
