// The ballot counts along and searches at once. Without this file the same form does the same by its buttons.
// Nothing is stored: no cookie, no local storage, nothing in the address.
(() => {
  "use strict";
  const form = document.getElementById("ballot");
  if (!form) return;

  const cards = [...form.querySelectorAll("[data-card]")];
  const controls = [...form.querySelectorAll("[data-choice]")];
  const review = "review" in form.dataset;
  const { money } = form.dataset;
  const language = document.documentElement.lang;
  let sent = false;

  const kroner = (amount) => {
    const example = new Intl.NumberFormat(language).format(1234567);
    const decimals = Number.isInteger(amount) ? 0 : 2;
    const shown = new Intl.NumberFormat(language, { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
    return money.includes(example) ? money.replace(example, shown.format(amount)) : shown.format(amount);
  };
  const given = (control) => {
    if (control.type !== "number") return control.checked ? 1 : 0;
    const typed = Number.parseInt(control.value, 10);
    return Number.isNaN(typed) || typed < 0 ? 0 : typed;
  };
  const filled = (words, values) =>
    words.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
  const fold = (text) => text.toLocaleLowerCase(language).replaceAll("å", "aa");

  // One section for each pot, or a single one; each counts for itself.
  const sections = [...form.querySelectorAll("[data-section]")];
  const notYet = form.querySelector("[data-not-yet]");
  const notYetWords = notYet ? notYet.textContent : "";

  const countIn = (section) => {
    const { kind, most, limit, points, name } = section.dataset;
    let chosen = 0;
    let spent = 0;
    for (const control of section.querySelectorAll("[data-choice]")) {
      const card = control.closest("[data-card]");
      const gave = given(control);
      card.classList.toggle("is-chosen", gave > 0);
      if (!gave) continue;
      chosen += kind === "cumulative" ? gave : 1;
      spent += Number(card.dataset.price);
    }
    for (const sum of form.querySelectorAll("[data-sum]")) {
      if (sum.dataset.sum !== section.dataset.section) continue;
      const shown = { chosen: sum.querySelector("[data-chosen]"), spent: sum.querySelector("[data-spent]") };
      if (shown.chosen) shown.chosen.textContent = String(chosen);
      if (shown.spent) shown.spent.textContent = kroner(spent);
    }
    let warning = "";
    if (kind === "cumulative" && chosen > Number(points)) {
      warning = filled(form.dataset.tooManyPoints, { chosen, most: points });
    } else if (limit && spent > Number(limit)) {
      warning = filled(form.dataset.over, { over: kroner(spent - Number(limit)) });
    } else if (kind === "approval" && chosen > Number(most)) {
      warning = filled(form.dataset.tooMany, { chosen, most });
    }
    return warning && name ? `${name}: ${warning}` : warning;
  };
  const count = () => {
    const warnings = sections.map(countIn).filter(Boolean);
    if (notYet) notYet.textContent = warnings.join(" ") || notYetWords;
  };

  const search = form.querySelector("#q");
  const district = form.querySelector("#district");
  const onlyChosen = form.querySelector("#only-chosen");
  const said = form.querySelector("[data-shown]");

  const filter = () => {
    const words = fold(search.value).split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const card of cards) {
      const text = fold(card.textContent);
      const fits =
        words.every((word) => text.includes(word)) &&
        (!district || !district.value || card.dataset.district === district.value) &&
        (!onlyChosen.checked || given(card.querySelector("[data-choice]")) > 0);
      card.hidden = !fits;
      if (fits) shown += 1;
    }
    said.textContent = filled(form.dataset.shownWords, { shown, all: cards.length });
  };

  if (!review) {
    form.addEventListener("input", (event) => {
      if (event.target.matches("[data-choice]")) count();
    });
    form.addEventListener("change", count);
    // After a search by button the page may hold only some of the projects: then the button goes on doing it.
    const all = Number(form.dataset.all || cards.length);
    if (search && cards.length === all) {
      for (const control of [search, district, onlyChosen]) {
        if (control) control.addEventListener("input", filter);
      }
      const button = form.querySelector("[data-search]");
      button.addEventListener("click", (event) => {
        event.preventDefault();
        filter();
      });
    }
    count();
  }

  const anything = () => review || controls.some((control) => given(control) > 0);
  form.addEventListener("submit", () => {
    sent = true;
  });
  window.addEventListener("pageshow", () => {
    sent = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (!sent && anything()) event.preventDefault();
  });
})();
