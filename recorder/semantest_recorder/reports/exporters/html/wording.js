"use strict";

/* Numbers and moments as people read them; durations as `semantest report` writes them. */

function duration(ms) {
  if (typeof ms !== "number" || !Number.isFinite(ms)) return "?";
  if (ms < 999.5) return ms >= 9.95 ? `${ms.toFixed(0)} ms` : `${ms.toFixed(1)} ms`;
  const seconds = ms / 1000;
  if (seconds < 59.95) return seconds < 9.995 ? `${seconds.toFixed(2)} s` : `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? twoUnits(minutes, "min", whole % 60, "s") : twoUnits(Math.floor(minutes / 60), "h", minutes % 60, "min");
}

function twoUnits(large, unit, small, part) {
  return small ? `${large} ${unit} ${small} ${part}` : `${large} ${unit}`;
}

const NUMBERS = new Intl.NumberFormat("en");

/* gw2 before gw10. */
const BY_NAME = new Intl.Collator("en", { numeric: true });

function count(number) {
  return NUMBERS.format(number);
}

function plural(number, noun) {
  return `${count(number)} ${noun}${number === 1 ? "" : "s"}`;
}

function bytes(number) {
  for (const unit of ["B", "KiB", "MiB", "GiB"]) {
    if (number < 1024 || unit === "GiB") return unit === "B" ? `${number} B` : `${number.toFixed(1)} ${unit}`;
    number /= 1024;
  }
}

/* A moment where the reader is, with its zone. */
function moment(ms) {
  if (typeof ms !== "number" || !(Math.abs(ms) <= 8.64e15)) return "unknown";
  const form = {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
  };
  return new Intl.DateTimeFormat("en-GB", { ...form, timeZoneName: "short" }).format(new Date(ms));
}

/* Anything that a test said beside its text, on one line. */
function asText(value) {
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}

/* What a process is called: its job, if the run has several, and its worker, if the job has several. */
function processName({ job, worker }) {
  if (!job) return worker;
  return worker === "main" ? job : `${job} ${worker}`;
}
