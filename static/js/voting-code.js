// The QR on a card leads here with the code after the #, which browsers send to nobody. It is put into the field, and taken
// out of the address at once, so that it stays neither in the history nor in a bookmark. Without this file one types it.
(() => {
  "use strict";
  const field = document.querySelector("#code-form input[name='voting_code']");
  if (!field) return;
  const take = () => {
    const code = decodeURIComponent(window.location.hash.slice(1)).replace(/[^0-9A-Za-z-]/g, "").slice(0, 40);
    if (!code || code === "main-content") return;
    field.value = code;
    window.history.replaceState(null, "", window.location.pathname + window.location.search);
    document.querySelector("#code-form button").focus();
  };
  take();
  window.addEventListener("hashchange", take);
  // A page that comes back from the browser's memory must not show the code of whoever was here before.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) field.value = "";
  });
})();
