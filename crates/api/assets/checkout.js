// Keeps the page of an order current: listens to its status, or asks for it where that cannot be,
// loads the page's own HTML again when something has changed, counts the time down, and copies. The
// page works without all of this.
"use strict";

(() => {
  const checkout = document.getElementById("checkout");
  if (!checkout) return;

  const OPEN_MS = 2_000;
  const SETTLED_MS = 30_000;
  const MOST_MS = 60_000;
  const SILENT_MS = 45_000;
  const SETTLED = ["completed", "expired", "cancelled"];
  const PARTS = ["standing", "pay"];

  document.documentElement.classList.add("scripted");

  let failures = 0;
  let timer = 0;
  let stream = null;
  let last = Promise.resolve();
  let deadline = 0;

  const setDeadline = (secondsLeft) => {
    deadline = performance.now() + Number(secondsLeft) * 1_000;
  };
  setDeadline(checkout.dataset.secondsLeft);

  // Takes over what the server says now, part by part, so that nothing that is read or has the
  // focus is lost without need.
  const reload = async () => {
    const answer = await fetch(location.href, { cache: "no-store" });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("checkout");
    if (!fresh) throw new Error("another page");
    const focused = document.activeElement && document.activeElement.id;
    for (const id of PARTS) {
      const [old, now] = [document.getElementById(id), page.getElementById(id)];
      if (old.innerHTML === now.innerHTML) continue;
      old.className = now.className;
      old.replaceChildren(...now.childNodes);
    }
    if (focused) document.getElementById(focused)?.focus();
    document.title = page.title;
    checkout.dataset.revision = fresh.dataset.revision;
    setDeadline(fresh.dataset.secondsLeft);
    count();
  };

  // Takes over what has become of the order, if it is something else than the page shows.
  const take = async (standing) => {
    setDeadline(standing.seconds_left);
    if (standing.revision !== checkout.dataset.revision) await reload();
  };

  const ask = async () => {
    clearTimeout(timer);
    let wait = OPEN_MS;
    try {
      const answer = await fetch(checkout.dataset.status, { cache: "no-store" });
      if (!answer.ok) throw new Error(`status ${answer.status}`);
      const standing = await answer.json();
      await take(standing);
      if (SETTLED.includes(standing.status)) wait = SETTLED_MS;
      failures = 0;
    } catch {
      failures += 1;
      wait = Math.min(OPEN_MS * 2 ** failures, MOST_MS);
    }
    later(document.hidden ? Math.max(wait, SETTLED_MS) : wait);
  };

  const later = (wait) => {
    clearTimeout(timer);
    timer = setTimeout(ask, wait);
  };

  // The server speaks every 15 seconds. What it is silent about for long, and what cannot be taken
  // over, is asked for; as long as it speaks, nothing is. A page that nobody looks at does not
  // listen: browsers keep few connections to one server open.
  const listen = () => {
    if (stream || document.hidden || !("EventSource" in window)) return;
    stream = new EventSource(checkout.dataset.stream);
    // One after the other, so that what is older never replaces what is newer.
    const heard = (message) => {
      later(SILENT_MS);
      last = last.then(() => take(JSON.parse(message.data))).catch(() => later(OPEN_MS));
    };
    stream.addEventListener("status", heard);
    stream.addEventListener("alive", heard);
    // It comes back by itself, unless the server wants no more streams.
    stream.addEventListener("error", () => {
      if (stream?.readyState === EventSource.CLOSED) stream = null;
      later(OPEN_MS);
    });
  };

  const leave = () => {
    stream?.close();
    stream = null;
    later(SETTLED_MS);
  };

  later(OPEN_MS);
  listen();
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return leave();
    listen();
    ask();
  });

  const count = () => {
    const left = document.getElementById("left");
    if (!left) return;
    const seconds = Math.max(0, Math.ceil((deadline - performance.now()) / 1_000));
    const [hours, minutes] = [Math.floor(seconds / 3_600), Math.floor(seconds / 60) % 60];
    const two = (number) => String(number).padStart(2, "0");
    const days = Math.floor(hours / 24);
    left.textContent =
      days > 1 ? `${days} days` : `${hours ? `${hours}:` : ""}${two(minutes)}:${two(seconds % 60)}`;
  };
  count();
  setInterval(count, 1_000);

  // Where there is no clipboard, which takes a secure origin, the text is marked and copied.
  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(element);
      return document.execCommand("copy");
    }
  };
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("button[data-copy]");
    if (!button) return;
    const copied = await copy(document.getElementById(button.dataset.copy));
    document.getElementById("said").textContent = copied
      ? `${button.getAttribute("aria-label").replace("Copy: ", "")} copied`
      : "The text is marked: copy it with the keyboard";
    button.textContent = copied ? "Copied" : "Marked";
    setTimeout(() => {
      button.textContent = "Copy";
    }, 2_000);
  });
})();
