"use strict";
const at = (id) => document.getElementById(id);
const WORDS = ["absent", "present"];
let shown = null, busy = false;

async function ask(path, body) {
  const options = body ? { method: "POST", body: JSON.stringify(body),
                           headers: { "Content-Type": "application/json" } } : {};
  const answer = await fetch(path, options);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

async function act(path, body) {
  if (busy) return;
  busy = true;
  try {
    show(await ask(path, body));
    at("message").textContent = path === "undo" ? "taken back" : "";
  } catch (error) {
    at("message").textContent = error instanceof TypeError
      ? "thorax review has ended: nothing of this was kept; start it again" : error.message;
  }
  busy = false;
}

function show(state) {
  at("reader").textContent = state.reader;
  at("bar").max = state.total;
  at("bar").value = state.done;
  at("count").textContent = `${state.done} of ${state.total}`;
  at("undo").disabled = !state.undo;
  shown = state.item;
  at("work").hidden = !shown;
  at("end").hidden = Boolean(shown);
  if (shown) showItem(shown);
}

function showItem(item) {
  at("picture").src = item.picture;
  at("picture").alt = `chest radiograph ${item.image}`;
  if (item.heatmap) at("heatmap").src = item.heatmap;
  heat(false);
  at("toggle").disabled = !item.heatmap;
  at("image").textContent = item.image;
  at("finding").textContent = item.name;
  at("given").replaceChildren(Object.assign(document.createElement("b"), { textContent: WORDS[item.given] }));
  at("kept").textContent = `it is ${WORDS[item.given]}`;
  at("flipped").textContent = `it is ${WORDS[1 - item.given]}`;
  at("score").hidden = !("quality" in item);
  if ("quality" in item) at("score").textContent =
    `label right: ${(100 * item.quality).toFixed(0)} %; present by the image: ${(100 * item.probability).toFixed(0)} %`;
  showReport(item);
  window.scrollTo(0, 0);
}

function showReport(item) {
  const start = item.sentence ? item.report.indexOf(item.sentence) : -1;
  const mark = Object.assign(document.createElement("mark"), { textContent: item.sentence });
  at("state").textContent = item.report ? `says ${item.state}${item.cue ? `: “${item.cue}”` : ""}` : "";
  at("sentence").hidden = start >= 0 || !item.sentence;
  at("sentence").replaceChildren(start >= 0 || !item.sentence ? "" : mark);
  at("report").replaceChildren(...(start < 0 ? [item.report || "There is no report of this image."]
    : [item.report.slice(0, start), mark, item.report.slice(start + item.sentence.length)]));
}

function heat(on) {
  at("heatmap").hidden = !on;
  at("toggle").setAttribute("aria-pressed", on);
}

const toggle = () => { if (shown && shown.heatmap) heat(at("heatmap").hidden); };
const say = (answer) => {
  if (shown) act("answer", { image: shown.image, finding: shown.finding, answer });
};
const KEYS = { k: () => say("keep"), f: () => say("flip"), u: () => say("unsure"), h: toggle,
               z: () => act("undo", {}) };

document.addEventListener("keydown", (event) => {
  if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
  const work = KEYS[event.key.toLowerCase()];
  if (work) { event.preventDefault(); work(); }
});
for (const button of document.querySelectorAll("[data-answer]"))
  button.addEventListener("click", () => say(button.dataset.answer));
at("toggle").addEventListener("click", toggle);
at("undo").addEventListener("click", () => act("undo", {}));
ask("state").then(show, (error) => { at("message").textContent = error.message; });
