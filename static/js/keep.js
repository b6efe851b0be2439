// A convenience only: numbers typed into a form marked data-keep stay in this tab until they are sent, so that a phone that
// sleeps, or a page that is loaded anew, loses none of them.
(() => {
  "use strict";
  const form = document.querySelector("form[data-keep]");
  if (!form) return;
  const name = `keep:${form.dataset.keep}`;
  const inputs = [...form.querySelectorAll("input[inputmode]")];
  const kept = () => {
    try { return JSON.parse(sessionStorage.getItem(name)) || {}; } catch { return {}; }
  };
  const before = kept();
  inputs.forEach((input) => { if (!input.value && before[input.name]) input.value = before[input.name]; });
  form.addEventListener("input", () => {
    const now = Object.fromEntries(inputs.map((input) => [input.name, input.value]));
    try { sessionStorage.setItem(name, JSON.stringify({ ...kept(), ...now })); } catch { /* a tab that keeps nothing */ }
  });
})();
