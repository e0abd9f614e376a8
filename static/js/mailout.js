// The pages of a mailout work without this file. With it: buttons put marks into the letter, the letter beside it follows
// what is typed, and the numbers of a mailout that is being sent move by themselves.
(() => {
  "use strict";

  function put(area, text, from, to) {
    area.setRangeText(text, from, to, "end");
    area.focus();
    area.dispatchEvent(new Event("input", { bubbles: true }));
  }

  function mark(bar, area, button) {
    const { selectionStart: from, selectionEnd: to, value } = area;
    const chosen = value.slice(from, to);
    const { put: word, wrap, mark: prefix } = button.dataset;
    if (word) put(area, word, from, to);
    else if (wrap) put(area, `${wrap}${chosen || "…"}${wrap}`, from, to);
    else if (prefix) {
      const begin = value.lastIndexOf("\n", from - 1) + 1;
      const lines = value.slice(begin, to).split("\n");
      put(area, lines.map((line) => prefix + line).join("\n"), begin, to);
    } else put(area, `[${chosen || bar.dataset.wordsLink}](https://)`, from, to);
  }

  for (const bar of document.querySelectorAll(".marks-bar")) {
    const area = document.getElementById(bar.dataset.for);
    if (!area) continue;
    area.before(bar);
    bar.hidden = false;
    bar.addEventListener("click", (event) => {
      const button = event.target.closest("button");
      if (button) mark(bar, area, button);
    });
  }

  const form = document.querySelector("[data-look]");
  const look = document.getElementById("look");
  if (form && look) {
    let waiting = null;
    let asked = 0;
    form.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(async () => {
        const number = ++asked;
        try {
          const answer = await fetch(form.dataset.look, { method: "POST", body: new FormData(form) });
          if (answer.ok && number === asked) look.innerHTML = await answer.text();
        } catch {
          // No network: the letter stays as it was, and saving says it anyway.
        }
      }, 600);
    });
  }

  const progress = document.querySelector("[data-progress]");
  if (progress) {
    const stage = (within) => within.querySelector("[data-moving]")?.dataset.moving;
    const follow = async () => {
      const shown = stage(progress);
      try {
        const answer = await fetch(progress.dataset.progress);
        if (answer.ok) {
          const fresh = document.createElement("div");
          fresh.innerHTML = await answer.text();
          if (stage(fresh) !== shown) return location.reload();
          progress.replaceChildren(...fresh.childNodes);
        }
      } catch {
        // Tried again below.
      }
      setTimeout(follow, 3000);
    };
    setTimeout(follow, 3000);
  }
})();
