"use strict";

/* A connection to the recorder that comes back by itself. `told` gets each message, `stands` whether it stands. */
function semantestSocket(path, told, stands) {
  const SILENT_MS = 15000, FIRST_MS = 500, LONGEST_MS = 15000;
  let socket = null, wait = FIRST_MS, again = null, silent = null, closed = false;

  function hear() {
    clearTimeout(silent);
    silent = setTimeout(() => lose(), SILENT_MS);
  }
  function lose() {
    if (!socket) return;
    const lost = socket;
    socket = null;
    lost.onclose = lost.onmessage = lost.onopen = null;
    lost.close();
    clearTimeout(silent);
    if (closed) return;
    stands(false);
    again = setTimeout(open, wait * (0.75 + Math.random() / 2));
    wait = Math.min(wait * 2, LONGEST_MS);
  }
  function open() {
    const address = new URL(path, location.href);
    address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
    socket = new WebSocket(address);
    socket.onopen = () => { wait = FIRST_MS; stands(true); hear(); };
    socket.onmessage = (event) => { hear(); told(JSON.parse(event.data)); };
    socket.onclose = lose;
    hear();
  }
  /* Whoever comes back to the page does not wait for the next attempt. */
  function look() {
    if (document.hidden || socket || closed) return;
    clearTimeout(again);
    open();
  }
  document.addEventListener("visibilitychange", look);
  addEventListener("online", look);
  open();
  return () => {
    closed = true;
    document.removeEventListener("visibilitychange", look);
    removeEventListener("online", look);
    clearTimeout(again);
    lose();
  };
}
