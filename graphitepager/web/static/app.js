// Renews the page, filters as one types, keeps relative times true. All of it works without this.
"use strict";
(() => {
  const live = () => document.getElementById("live");
  let box = document.getElementById("filter");
  let paused = false, timer = 0, asked = 0, renewedAt = Date.now();

  // ---- relative times ----
  const span = seconds => {
    const s = Math.max(Math.floor(seconds), 0), m = Math.floor(s / 60), h = Math.floor(m / 60), d = Math.floor(h / 24);
    if (d) return h % 24 ? `${d} d ${h % 24} h` : `${d} d`;
    if (h) return m % 60 ? `${h} h ${m % 60} min` : `${h} h`;
    return m ? `${m} min` : `${s} s`;
  };
  const say = {
    ago: s => `${span(s)} ago`,
    since: s => span(s),
    until: s => (s < 0 ? `in ${span(-s)}` : "any moment now"),
  };
  // By the server's clock: a phone's may be wrong.
  let offset = 0;
  const learnClock = () => { if (live()) offset = Number(live().dataset.at) * 1000 - Date.now(); };
  const tick = () => {
    const now = Date.now() + offset;
    for (const one of document.querySelectorAll("time[data-is]")) {
      one.textContent = say[one.dataset.is]((now - Date.parse(one.dateTime)) / 1000);
    }
  };

  // ---- filtering what is there ----
  // The series and its labels: what the server looks at, too.
  const namesOf = row => {
    const named = [...row.querySelectorAll(".series, .label, .it, :scope > bdi")].map(one => one.textContent);
    return `${named.join(" ")} ${row.dataset.labels || ""}`;
  };
  const filter = () => {
    if (!box) return;
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const part of document.querySelectorAll(".part:not(.silenced)")) {
      let any = false;
      for (const group of part.querySelectorAll(".group")) {
        const title = group.querySelector("h3 bdi").textContent;
        let shown = 0;
        for (const row of group.querySelectorAll(".rows > li")) {
          const text = `${title} ${namesOf(row)}`.toLowerCase();
          row.hidden = !words.every(word => text.includes(word));
          shown += !row.hidden;
        }
        group.hidden = !shown;
        any = any || shown > 0;
      }
      part.hidden = !any;
    }
  };

  // ---- renewing ----
  const outOfDate = () => live().classList.add("out-of-date");
  const keep = () => ({
    open: new Set([...document.querySelectorAll("details[data-key][open]")].map(one => one.dataset.key)),
    shut: new Set([...document.querySelectorAll("details[data-key]:not([open])")].map(one => one.dataset.key)),
    focus: focused(),
  });
  // What has the focus, in words that find it again in the new page.
  const focused = () => {
    const one = document.activeElement;
    if (!one || !live().contains(one)) return null;
    if (one.id) return { id: one.id };
    const holder = one.closest("[id]");
    return { id: holder && holder.id, tag: one.tagName, text: one.textContent, href: one.getAttribute("href") };
  };
  const restore = kept => {
    for (const one of document.querySelectorAll("details[data-key]")) {
      if (kept.open.has(one.dataset.key)) one.open = true;
      else if (kept.shut.has(one.dataset.key)) one.open = false;
    }
    if (!kept.focus) return;
    const holder = kept.focus.id ? document.getElementById(kept.focus.id) : live();
    const same = one => one.textContent === kept.focus.text && one.getAttribute("href") === kept.focus.href;
    const found = kept.focus.tag ? [...(holder || live()).querySelectorAll(kept.focus.tag)].find(same) : holder;
    if (found) found.focus({ preventScroll: true });
  };
  const show = text => {
    const next = new DOMParser().parseFromString(text, "text/html");
    const renewed = next.getElementById("live");
    if (!renewed) throw new Error("not the status page");
    const kept = keep();
    const form = live().querySelector(".filter"), newForm = renewed.querySelector(".filter");
    if (form && newForm && form.contains(document.activeElement)) newForm.replaceWith(form); // nobody loses what he types
    live().replaceWith(renewed);
    document.title = next.title;
    renewedAt = Date.now();
    learnClock();
    listen();
    restore(kept);
    filter();
    tick();
  };
  const renew = async () => {
    clearTimeout(timer);
    const mine = ++asked;
    try {
      const cut = AbortSignal.timeout ? AbortSignal.timeout(20000) : undefined;
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store", signal: cut });
      if (mine !== asked) return;
      if (!answer.ok) throw new Error(String(answer.status));
      show(await answer.text());
    } catch {
      if (mine === asked && Date.now() - renewedAt >= Number(live().dataset.lasts) * 1000) outOfDate();
    }
    if (mine === asked) plan();
  };
  const plan = () => {
    clearTimeout(timer);
    if (!paused && live()) timer = setTimeout(renew, Number(live().dataset.every) * 1000);
  };

  // ---- typing ----
  let typed = 0;
  const ask = () => {
    const form = document.querySelector("form.filter");
    const wanted = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    const text = wanted.toString();
    history.replaceState(null, "", text ? `?${text}` : location.pathname);
    renew();
  };
  const listen = () => {
    const input = document.getElementById("filter");
    box = input;
    if (!input || input.dataset.heard) return;
    input.dataset.heard = "yes";
    input.addEventListener("input", () => { filter(); clearTimeout(typed); typed = setTimeout(ask, 400); });
    for (const one of document.querySelectorAll("form.filter select")) one.addEventListener("change", ask);
    input.form.addEventListener("submit", event => { event.preventDefault(); clearTimeout(typed); ask(); });
  };

  if (!live()) return;
  learnClock();
  const renewal = document.getElementById("renewal");
  const button = document.createElement("button");
  const words = document.createElement("span");
  const tell = () => {
    words.textContent = paused ? "This page is not renewed." : `This page is renewed every ${span(live().dataset.every)}.`;
    button.textContent = paused ? "Go on" : "Pause";
  };
  button.type = "button";
  button.addEventListener("click", () => { paused = !paused; tell(); if (paused) clearTimeout(timer); else renew(); });
  renewal.append(words, button);
  renewal.hidden = false;
  tell();
  listen();
  tick();
  setInterval(tick, 5000);
  document.addEventListener("visibilitychange", () => { if (!document.hidden && !paused) renew(); });
  window.addEventListener("online", () => { if (!paused) renew(); });
  plan();
})();
