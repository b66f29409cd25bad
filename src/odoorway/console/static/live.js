// Live pages: what changed comes as whole pages, since each page works without this file too.
"use strict";
const source = document.body.dataset.live;
let busy = false;

async function refresh() {
  const typing = document.activeElement && document.activeElement.matches("input, select, textarea");
  if (busy || typing || document.hidden || window.getSelection().toString()) return;
  busy = true;
  try {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const open = [...document.querySelectorAll("details")].map((one) => one.open);
    const focus = document.activeElement ? [...document.querySelectorAll("a, button")].indexOf(document.activeElement) : -1;
    for (const part of ["main", "nav"]) {
      const fresh = page.querySelector(part), old = document.querySelector(part);
      if (fresh && old && fresh.innerHTML !== old.innerHTML) old.replaceWith(fresh);
    }
    document.querySelectorAll("details").forEach((one, i) => { one.open = open[i] || one.open; });
    if (focus >= 0) { const again = document.querySelectorAll("a, button")[focus]; if (again) again.focus({ preventScroll: true }); }
  } finally { busy = false; }
}

if (source) {
  const stream = new EventSource(source);
  stream.addEventListener("changed", refresh);
}
document.addEventListener("focusin", (event) => { if (event.target.matches(".copy")) event.target.select(); });
document.addEventListener("keydown", (event) => {
  if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") { const field = document.querySelector("form.filter input"); if (field) { field.focus(); event.preventDefault(); } }
  if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("tbody a, .problem a")];
    const at = rows.indexOf(document.activeElement) + (event.key === "j" ? 1 : -1);
    if (rows.length) rows[Math.max(0, Math.min(rows.length - 1, at))].focus();
  }
});
