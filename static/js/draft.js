// Keeps what is being written, a moment after the last key. The page saves on every button without this file too.
(() => {
  "use strict";
  const form = document.querySelector("form[data-keep]");
  if (!form) return;
  const said = document.getElementById(form.dataset.keep);
  const PAUSE = 2000;
  let timer = 0;
  let underway = null;

  const keep = async () => {
    const body = new FormData(form);
    body.set("save", "1");
    // Files are sent by their own button, not again and again while one writes.
    for (const input of form.querySelectorAll("input[type=file]")) body.delete(input.name);
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { "X-Keep": "1" } });
      if (!answer.ok) return;
      const kept = await answer.json();
      form.action = kept.address;
      form.elements.seen.value = kept.seen;
      said.hidden = false;
    } catch {
      // No connection: what is typed stands in the page and is saved with the next key or button.
    }
  };

  form.addEventListener("input", () => {
    said.hidden = true;
    clearTimeout(timer);
    timer = setTimeout(async () => {
      await underway;
      underway = keep();
      await underway;
      underway = null;
    }, PAUSE);
  });

  // A button waits for what is being saved, so that the two don't look like two windows.
  form.addEventListener("submit", async (event) => {
    clearTimeout(timer);
    if (!underway) return;
    event.preventDefault();
    await underway;
    underway = null;
    form.requestSubmit(event.submitter);
  });
})();
