// Cost lines: the sum follows what is typed, and more rows come without asking the server.
(() => {
  "use strict";
  for (const group of document.querySelectorAll("[data-cost-lines]")) {
    const body = group.querySelector("tbody");
    const sum = group.querySelector("[data-sum]");
    const button = group.querySelector("[data-more]");
    const language = document.documentElement.lang;
    const number = new Intl.NumberFormat(language);
    const most = Number(group.dataset.most);

    const kroner = (amount) => group.dataset.money.replace(number.format(1234567), number.format(amount));
    const amountOf = (text) => {
      const plain = text.trim().replace(/\s*kr\.?$/i, "").replace(/(,00|,-)$/, "").replace(/[.\s]/g, "");
      return /^\d{1,12}$/.test(plain) ? Number(plain) : 0;
    };
    const count = () => {
      const amounts = [...body.querySelectorAll("input[inputmode]")].map((input) => amountOf(input.value));
      sum.textContent = kroner(amounts.reduce((all, one) => all + one, 0));
    };

    button.type = "button"; // so that Enter in a field sends the form and doesn't add a row
    button.addEventListener("click", () => {
      const rows = body.rows.length;
      if (rows >= most) return;
      const row = body.rows[rows - 1].cloneNode(true);
      for (const input of row.querySelectorAll("input")) {
        input.value = "";
        input.removeAttribute("id");
        input.setAttribute("aria-label", input.getAttribute("aria-label").replace(/\d+$/, String(rows + 1)));
      }
      body.append(row);
      row.querySelector("input").focus();
      button.hidden = body.rows.length >= most;
    });
    group.addEventListener("input", count);
    count();
  }
})();
