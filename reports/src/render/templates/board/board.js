// Copies commands, and swaps the parts of a page that have changed. A page is complete without it.
"use strict";
(() => {
  const pulse = document.getElementById("pulse");
  const GAP_MS = 1500;
  let change = Number(document.documentElement.dataset.change);
  let wanted = change;
  let busy = false;

  const say = (text) => {
    if (pulse && pulse.textContent !== text) pulse.textContent = text;
  };

  const showButtons = (root) => {
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    const before = button.innerHTML;
    let done = "Copied";
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      // Without a secure context there is no clipboard: the text is selected, and keys copy it.
      getSelection().selectAllChildren(code);
      done = "Selected";
    }
    button.textContent = done;
    setTimeout(() => { button.innerHTML = before; }, 1500);
  });

  const openFolds = (root) => new Set(
    [...root.querySelectorAll("details[open] > summary")].map((summary) => summary.textContent));

  const swap = (fresh) => {
    for (const part of document.querySelectorAll("[data-live][id]")) {
      const next = fresh.getElementById(part.id);
      if (!next || next.outerHTML === part.outerHTML) continue;
      // What somebody is reading or has the keyboard in stays as it is until they leave it.
      const focused = part.contains(document.activeElement) ? document.activeElement : null;
      if (focused && focused.matches("button, summary, input")) continue;
      const open = openFolds(part);
      for (const summary of next.querySelectorAll("details > summary")) {
        if (open.has(summary.textContent)) summary.parentElement.open = true;
      }
      const href = focused && focused.getAttribute("href");
      part.replaceWith(next);
      showButtons(next);
      if (href) [...next.querySelectorAll("a")].find((a) => a.getAttribute("href") === href)?.focus();
    }
  };

  const refresh = async () => {
    if (busy || document.hidden || wanted === change) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { accept: "text/html" } });
      if (answer.ok) {
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
        change = Number(fresh.documentElement.dataset.change);
        swap(fresh);
        say(fresh.getElementById("pulse").textContent.replace("As of", "Live, as of"));
      } else {
        change = wanted;
        say("This page is no longer there");
      }
    } catch {
      say("Not connected");
    }
    setTimeout(() => { busy = false; if (wanted > change) refresh(); }, GAP_MS);
  };

  const source = new EventSource("/events");
  source.addEventListener("change", (event) => {
    wanted = Number(event.data);
    refresh();
  });
  source.addEventListener("open", () => say(pulse.textContent.replace("As of", "Live, as of").replace("Not connected", "Live")));
  source.addEventListener("error", () => say(
    source.readyState === EventSource.CLOSED ? "Too many listeners: load the page again to see what is new" : "Not connected"));
  document.addEventListener("visibilitychange", refresh);
  showButtons(document);
})();
