// A convenience only: the page works without this file, and a scanner may be set to send {GS} instead.
// Scanners that work as a keyboard send the sign that ends a field (GS, 0x1D) as Ctrl+], which a browser drops.
(() => {
  "use strict";
  document.addEventListener("keydown", (event) => {
    const field = event.target;
    if (!event.ctrlKey || event.key !== "]" || !field.matches("[data-scan]")) return;
    event.preventDefault();
    field.setRangeText("␝", field.selectionStart, field.selectionEnd, "end");
  });
})();
