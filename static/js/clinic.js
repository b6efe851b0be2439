// Conveniences only: every page works without this file. Nothing here decides anything.
(() => {
  "use strict";

  // A form marked data-once is sent once: a double click is one submission. Coming back to the page frees it.
  const sent = new WeakSet();
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || !form.matches("[data-once]")) return;
    if (sent.has(form)) { event.preventDefault(); return; }
    sent.add(form);
    form.querySelectorAll("button[type=submit]").forEach((button) => button.setAttribute("aria-disabled", "true"));
  });
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    document.querySelectorAll("form[data-once]").forEach((form) => {
      sent.delete(form);
      form.querySelectorAll("[aria-disabled]").forEach((button) => button.removeAttribute("aria-disabled"));
    });
  });

  // A button with data-confirm asks before it sends.
  const ask = (question, yesWords, onYes) => {
    const dialog = document.createElement("dialog");
    dialog.className = "ask";
    const words = document.createElement("p");
    words.id = "ask-words";
    words.textContent = question;
    dialog.setAttribute("aria-labelledby", "ask-words");
    const row = document.createElement("div");
    row.className = "page-actions";
    const choice = (text, kind) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `btn ${kind}`;
      button.textContent = text;
      button.addEventListener("click", () => dialog.close(kind));
      row.append(button);
    };
    choice(yesWords, "btn-primary");
    choice("Go back", "btn-secondary-quiet");
    dialog.append(words, row);
    dialog.addEventListener("close", () => {
      const yes = dialog.returnValue === "btn-primary";
      dialog.remove();
      if (yes) onYes();
    });
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-confirm]");
    if (!button || !button.form || button.dataset.confirmed) return;
    event.preventDefault();
    ask(button.dataset.confirm, button.textContent.trim(), () => {
      button.dataset.confirmed = "yes";
      button.form.requestSubmit(button);
      delete button.dataset.confirmed;
    });
  });

  // After a refused submission, begin where the summary of errors is.
  const summary = document.getElementById("error-summary");
  if (summary) summary.focus();

  // Dose and volume follow each other by the label's strength, in whole nanograms and microlitres (BigInt: no floats).
  // data-dose-mcg on the dose names the volume's id; data-dose-ml on the volume names the dose's id.
  const toSmall = (text) => {
    const plain = text.trim().replace(/^(\d{1,3})((?:,\d{3})+)(?=\.|$)/, (all) => all.replaceAll(",", ""));
    const found = /^(\d{1,12})(?:\.(\d{1,3})0*)?$/.exec(plain);
    return found ? BigInt(found[1]) * 1000n + BigInt((found[2] || "").padEnd(3, "0")) : null;
  };
  const toText = (small) => {
    const rest = String(small % 1000n).padStart(3, "0").replace(/0+$/, "");
    return `${small / 1000n}${rest ? `.${rest}` : ""}`;
  };
  const strengthOf = (dose, volume) => {
    const source = document.querySelector(`[data-strength-source="${dose.id}"]`);
    const chosen = source && (source.matches("select") ? source.selectedOptions[0]
      : source.querySelector("input:checked") || source);
    const holder = [chosen, dose, volume, dose.form].find((one) => one && one.dataset && one.dataset.strengthNg);
    return holder && { ng: BigInt(holder.dataset.strengthNg), ul: BigInt(holder.dataset.strengthUl) };
  };
  const nearest = (top, bottom) => (2n * top + bottom) / (2n * bottom);
  const follow = (from, to, convert) => {
    const amount = toSmall(from.value);
    if (amount !== null && amount > 0n) to.value = toText(convert(amount));
  };
  document.querySelectorAll("[data-dose-mcg]").forEach((dose) => {
    const volume = document.getElementById(dose.dataset.doseMcg);
    if (!volume) return;
    const volumeFollows = () => {
      const strength = strengthOf(dose, volume);
      if (strength) follow(dose, volume, (ng) => nearest(ng * strength.ul, strength.ng));
    };
    const doseFollows = () => {
      const strength = strengthOf(dose, volume);
      if (strength) follow(volume, dose, (ul) => nearest(ul * strength.ng, strength.ul));
    };
    dose.addEventListener("input", volumeFollows);
    volume.addEventListener("input", doseFollows);
    // Another product brings its usual dose (data-usual-mcg on the radio), unless another was typed or the dose is the
    // patient's own (data-own-dose): then only the volume follows.
    const usual = () => document.querySelector(`[data-strength-source="${dose.id}"] input:checked`)?.dataset.usualMcg || "";
    let lastUsual = usual();
    document.addEventListener("change", (event) => {
      if (!event.target.closest(`[data-strength-source="${dose.id}"]`)) return;
      const isUsual = dose.value.trim() === lastUsual && !("ownDose" in dose.dataset);
      if (usual() && (dose.value.trim() === "" || isUsual)) dose.value = usual();
      lastUsual = usual();
      volumeFollows();
    });
  });
})();
