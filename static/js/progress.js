// A convenience only: without it the page loads itself anew every few seconds. Moves the bar of something in the making, and
// loads the page anew when that has ended.
(() => {
  "use strict";
  const place = document.querySelector("[data-progress]");
  if (!place) return;
  const bar = place.querySelector("progress");
  const words = place.querySelector("p");
  const look = async () => {
    try {
      const answer = await fetch(place.dataset.progress, { credentials: "same-origin", redirect: "error" });
      const told = answer.ok ? await answer.json() : null;
      if (!told || !["queued", "running"].includes(told.state)) { window.location.reload(); return; }
      bar.max = told.of || 1;
      bar.value = told.done;
      words.textContent = told.words;
      window.setTimeout(look, 1000);
    } catch {
      window.setTimeout(look, 5000);
    }
  };
  window.setTimeout(look, 1000);
})();
