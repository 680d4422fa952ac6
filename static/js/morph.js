/* Brings a piece of the page up to date from one that the server has just rendered, changing only what differs: what has
   the focus, what is open and what is ticked stays as it is. Children are matched by `id`, else by place and tag. */

const KEPT = new Set(["open", "hidden"]);

export function morph(from, to) {
  if (from.nodeType !== to.nodeType || from.nodeName !== to.nodeName) {
    from.replaceWith(to);
    return;
  }
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  if (from.isEqualNode(to)) return;
  for (const { name, value } of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  for (const { name } of [...from.attributes]) {
    if (!to.hasAttribute(name) && !KEPT.has(name)) from.removeAttribute(name);
  }
  morphChildren(from, to);
}

function morphChildren(from, to) {
  const named = new Map([...from.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = from.firstChild;
  for (const wanted of [...to.childNodes]) {
    const same = wanted.id && named.get(wanted.id);
    if (same) {
      if (same !== at) from.insertBefore(same, at);
      else at = at.nextSibling;
      morph(same, wanted);
    } else if (at && !at.id && at.nodeName === wanted.nodeName) {
      const next = at.nextSibling;
      morph(at, wanted);
      at = next;
    } else {
      from.insertBefore(wanted, at);
    }
  }
  while (at) {
    const next = at.nextSibling;
    at.remove();
    at = next;
  }
}

/* Asks for this page again and brings the elements with these ids up to date. Gives the new document, or null where it
   could not be had: the next try will. `onResponse` may tell by the address that the page is another one by now. */
export async function refresh(ids, { address = location.href } = {}) {
  let text;
  try {
    const response = await fetch(address, { headers: { Accept: "text/html" }, credentials: "same-origin" });
    if (!response.ok) return null;
    text = await response.text();
  } catch {
    return null;
  }
  const fresh = new DOMParser().parseFromString(text, "text/html");
  for (const id of ids) {
    const from = document.getElementById(id), to = fresh.getElementById(id);
    if (from && to) morph(from, document.importNode(to, true));
  }
  return fresh;
}
