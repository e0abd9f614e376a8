// Small improvements of pages that already work without them. No page may need this file.
(() => {
  "use strict";

  // An error summary is read first: focus moves there, and its links put the label in view before the control.
  const summary = document.querySelector(".error-summary");
  if (summary) {
    summary.focus();
    summary.addEventListener("click", (event) => {
      const link = event.target.closest("a[href^='#']");
      const control = link && document.getElementById(link.hash.slice(1));
      if (!control) return;
      event.preventDefault();
      (control.closest(".form-group") || control).scrollIntoView();
      control.focus({ preventScroll: true });
    });
  }

  // Copying an address. The button stands hidden in the page, because without script it can do nothing.
  for (const button of document.querySelectorAll("[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const said = document.getElementById(button.dataset.said);
      if (said) said.textContent = button.dataset.done;
    });
  }

  // One menu open at a time; Escape closes it and gives focus back.
  const menu = document.querySelector(".site-menu");
  if (menu) {
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && menu.open) {
        menu.open = false;
        menu.querySelector("summary").focus();
      }
    });
    document.addEventListener("click", (event) => {
      if (menu.open && !menu.contains(event.target)) menu.open = false;
    });
  }

  // A table that scrolls sideways must be reachable by keyboard, but only when it does scroll.
  for (const box of document.querySelectorAll(".scroll-x")) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
  }
})();
