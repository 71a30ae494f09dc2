"use strict";

async function copy(button) {
  await navigator.clipboard.writeText(button.previousElementSibling.textContent);
  button.textContent = "Copied";
}

async function run(button) {
  const shown = button.closest("article").querySelector(".answer");
  shown.hidden = false;
  shown.textContent = "…";
  const answer = await fetch(button.dataset.path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: button.dataset.body,
  });
  shown.textContent = `${answer.status}\n${JSON.stringify(await answer.json(), null, 2)}`;
}

for (const [kind, action] of [["copy", copy], ["run", run]]) {
  for (const button of document.querySelectorAll(`button.${kind}`)) {
    button.addEventListener("click", () => action(button).catch((error) => { button.textContent = String(error); }));
  }
}
