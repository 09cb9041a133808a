"use strict";

/* `semantest open` gives the code behind the #, so that no log of addresses has it. */
const code = new URLSearchParams(location.hash.slice(1)).get("code");
if (code) {
  history.replaceState(null, "", location.pathname + location.search);
  const field = document.getElementById("code");
  field.value = code;
  field.form.submit();
}
