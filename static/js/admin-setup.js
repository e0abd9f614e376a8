// The set-up form works without this file. With it: the readiness list follows what is typed, a new row comes without
// saving, and nobody leaves with changes that are not saved.
(() => {
  "use strict";

  const form = document.querySelector(".setup-form");
  const readiness = document.getElementById("readiness");
  if (!form || !readiness) return;

  let waiting = null;
  let asked = 0;
  let changed = false;

  async function check() {
    const number = ++asked;
    try {
      const answer = await fetch(form.dataset.check, { method: "POST", body: new FormData(form) });
      if (!answer.ok || number !== asked) return;
      const open = new Set(
        [...readiness.querySelectorAll("details[open] .readiness-label")].map((label) => label.textContent),
      );
      readiness.innerHTML = await answer.text();
      for (const group of readiness.querySelectorAll("details")) {
        group.open = open.has(group.querySelector(".readiness-label").textContent);
      }
    } catch {
      // No network: the list stays as it was, and saving says it anyway.
    }
  }

  form.addEventListener("input", () => {
    changed = true;
    clearTimeout(waiting);
    waiting = setTimeout(check, 700);
  });
  form.addEventListener("submit", () => {
    changed = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (changed) event.preventDefault();
  });

  // A link in the list leads to a field that may lie in something folded.
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[href^='#']");
    const place = link && document.getElementById(link.hash.slice(1));
    if (!place) return;
    for (let around = place.closest("details"); around; around = around.parentElement.closest("details")) {
      around.open = true;
    }
    (place.closest(".form-group") || place).scrollIntoView();
    place.focus({ preventScroll: true });
    event.preventDefault();
  });

  // Another row of the same kind, from the empty one that is always there.
  for (const set of document.querySelectorAll("[data-rows]")) {
    const button = set.querySelector("button[name^='add_']");
    const total = set.querySelector("input[name$='-TOTAL_FORMS']");
    const rows = () => set.querySelectorAll("[data-row]");
    const most = set.querySelector("input[name$='-MAX_NUM_FORMS']");
    if (!button || !total || !rows().length) continue;
    button.addEventListener("click", (event) => {
      const last = rows()[rows().length - 1];
      const number = Number(total.value);
      if (most && number >= Number(most.value)) return;
      event.preventDefault();
      const copy = last.cloneNode(true);
      const prefix = total.name.replace("-TOTAL_FORMS", "");
      const old = new RegExp(`(${prefix}-)\\d+(-)`, "g");
      for (const element of copy.querySelectorAll("[id],[name],[for],[aria-describedby]")) {
        for (const name of ["id", "name", "for", "aria-describedby"]) {
          const value = element.getAttribute(name);
          if (value) element.setAttribute(name, value.replace(old, `$1${number}$2`));
        }
      }
      for (const control of copy.querySelectorAll("input, select, textarea")) {
        if (control.type === "checkbox" || control.type === "radio") control.checked = false;
        else if (control.type !== "hidden") control.value = "";
        control.removeAttribute("aria-invalid");
      }
      for (const error of copy.querySelectorAll(".form-error-message")) error.remove();
      for (const group of copy.querySelectorAll(".form-error")) group.classList.remove("form-error");
      const legend = copy.querySelector("legend");
      if (legend) legend.textContent = legend.textContent.replace(/\d+\s*$/, String(number + 1));
      last.after(copy);
      total.value = String(number + 1);
      copy.querySelector("input:not([type='hidden']), select, textarea").focus();
    });
  }
})();
