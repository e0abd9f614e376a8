// Looks for what others have proposed, a moment after the last key. Without this file a button does it.
(() => {
  "use strict";
  const box = document.querySelector("[data-similar]");
  const form = box && box.closest("form");
  if (!form) return;
  // Beside what one writes, once there is something to show.
  const field = form.elements.body.closest(".form-group");
  const said = document.getElementById("similar-said");
  const PAUSE = 1500;
  const SHORTEST = 12;
  let timer = 0;
  let asked = "";
  let shown = "";

  const look = async () => {
    const title = form.elements.title.value;
    const text = form.elements.body.value;
    const asking = `${title} ${text}`.trim();
    if (asking === asked || asking.length < SHORTEST) return;
    asked = asking;
    const body = new FormData();
    body.set("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
    body.set("title", title);
    body.set("body", text);
    try {
      const answer = await fetch(box.dataset.similar, { method: "POST", body });
      if (answer.status !== 200 || asked !== asking) return;
      show((await answer.json()).piece);
    } catch {
      // No connection: nothing is shown, and writing goes on.
    }
  };

  // The same ones again are left alone, so that nobody is told twice or loses their place among them.
  const show = (piece) => {
    const found = new DOMParser().parseFromString(piece, "text/html").body;
    const links = [...found.querySelectorAll("a")].map((link) => link.href).join(" ");
    if (links === shown) return;
    shown = links;
    box.replaceChildren(...found.children);
    if (links) field.after(box);
    said.textContent = links ? box.dataset.said : "";
  };

  form.addEventListener("input", (event) => {
    if (event.target !== form.elements.title && event.target !== form.elements.body) return;
    clearTimeout(timer);
    timer = setTimeout(look, PAUSE);
  });
})();
