// Starts the design system's own behaviour (character counters, accordions, modals) on pages that load it.
document.addEventListener("DOMContentLoaded", () => {
  // Two focuses would fight: the error summary is focused by ojenhojde.js on every page.
  window.DKFDS.init();
});
