// Marking the roll over a poor line. Without this file the browser's own "send again" does the same: the mark's id is in the
// form, so however often it is sent, it is one mark. Here the officer is told at once when no answer comes.
(() => {
  "use strict";
  const form = document.querySelector("form[data-mark]");
  const doubt = document.querySelector("[data-doubt]");
  const waiting = document.querySelector("[data-waiting]");
  if (!form || !doubt || !window.fetch || !window.AbortController) return;
  let asking = false;

  const ask = async () => {
    if (asking) return;
    asking = true;
    waiting.textContent = waiting.dataset.words;
    form.querySelector("button").disabled = true;
    doubt.querySelector("button").disabled = true;
    const stop = new AbortController();
    const clock = setTimeout(() => stop.abort(), Number(form.dataset.seconds) * 1000);
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        credentials: "same-origin",
        signal: stop.signal,
      });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      show(answer, page);
    } catch {
      wonder();
    } finally {
      clearTimeout(clock);
      asking = false;
      waiting.textContent = "";
      form.querySelector("button").disabled = false;
      doubt.querySelector("button").disabled = false;
    }
  };

  // Only a page that says "marked" or "not marked" settles it. A form with a fault is shown as it came; whatever else
  // comes back (an error of the server, a page of the network's own) leaves it as unknown as before.
  const show = (answer, page) => {
    const main = page.getElementById("main-content");
    if (main && (main.querySelector("[data-answer]") || main.querySelector("form[data-mark]"))) {
      document.title = page.title;
      const here = document.getElementById("main-content");
      here.replaceChildren(...Array.from(main.childNodes, (node) => document.importNode(node, true)));
      const heading = here.querySelector("h1");
      heading.tabIndex = -1;
      heading.focus();
      window.scrollTo(0, 0);
    } else if (answer.redirected) {
      window.location.assign(answer.url); // signed out: the server has not seen the mark
    } else {
      wonder();
    }
  };

  const wonder = () => {
    form.hidden = true;
    doubt.hidden = false;
    document.querySelector("#main-content h1").textContent = doubt.dataset.title; // no longer "may vote here"
    const button = doubt.querySelector("button");
    button.disabled = false; // a button that is off can't have the focus
    button.focus();
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  doubt.querySelector("button").addEventListener("click", ask);
})();
