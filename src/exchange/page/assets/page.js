// Makes pages quicker and nicer; nothing needs it.
"use strict";

// Times in the reader's own zone, with UTC on hover. Most say the day alone.
for (const time of document.querySelectorAll("time[datetime]")) {
  const at = new Date(time.dateTime);
  if (isNaN(at)) continue;
  const text = style => at.toLocaleString(document.documentElement.lang, style);
  const exact = text({ dateStyle: "medium", timeStyle: "short" });
  time.textContent = "exact" in time.dataset ? exact : text({ dateStyle: "medium" });
  time.title = `${exact} (${time.title})`;
}

// Buttons that copy.
for (const button of document.querySelectorAll("button[data-copy]")) {
  if (!navigator.clipboard) break;
  const text = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = text; }, 2000);
  });
}

// "/" goes to the search, as on many sites, but not while somebody types.
document.addEventListener("keydown", event => {
  const at = document.activeElement;
  const types = at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName));
  if (event.key === "/" && !types && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    document.getElementById("q")?.focus();
  }
});

// The puzzle of an open sign-up: a nonce so that the SHA-256 of puzzle:name:nonce begins with
// enough zero bits.
const sign = document.querySelector("form[data-puzzle]");
if (sign) {
  const zeros = bytes => {
    let count = 0;
    for (const byte of bytes) {
      if (byte) return count + Math.clz32(byte) - 24;
      count += 8;
    }
    return count;
  };
  const solve = async (head, bits) => {
    const encoder = new TextEncoder();
    for (let nonce = 0; ; nonce += 256) {
      const tries = Array.from({ length: 256 }, (_, at) =>
        crypto.subtle.digest("SHA-256", encoder.encode(head + (nonce + at))));
      const found = (await Promise.all(tries)).findIndex(of => zeros(new Uint8Array(of)) >= bits);
      if (found >= 0) return nonce + found;
    }
  };
  sign.addEventListener("submit", async event => {
    const invitation = sign.elements.invitation.value.trim();
    if (sign.elements.nonce.value || invitation || !window.crypto?.subtle) return;
    event.preventDefault();
    const button = sign.querySelector("button");
    button.disabled = true;
    button.textContent = sign.dataset.working;
    const name = sign.elements.username.value.trim().toLowerCase();
    const head = `${sign.dataset.puzzle}:${name}:`;
    sign.elements.nonce.value = await solve(head, Number(sign.dataset.bits));
    sign.submit();
  });
}
