/* Loads a COCO file away from the page and answers with columns: what is in each picture, in the order of time.

   Asked with {address}. Answers {progress} as it comes (a share), then {columns} or {error}. */

self.addEventListener("message", async ({ data: { address } }) => {
  try {
    const columns = columnsOf(JSON.parse(await load(address)));
    const parts = Object.values(columns).filter(ArrayBuffer.isView).map((part) => part.buffer);
    self.postMessage({ columns }, parts);
  } catch (error) {
    self.postMessage({ error: error.message });
  }
});

async function load(address) {
  const answer = await fetch(address, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const whole = Number(answer.headers.get("Content-Length")) || 0;
  const reader = answer.body.getReader(), text = new TextDecoder(), pieces = [];
  let had = 0, told = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    had += value.length;
    pieces.push(text.decode(value, { stream: true }));
    if (whole && had - told > whole / 50) {
      told = had;
      self.postMessage({ progress: had / whole });
    }
  }
  self.postMessage({ progress: 1 });
  return pieces.join("") + text.decode();
}

/* Pictures i have the entries starts[i] to starts[i + 1]; `boxes` are x, y, width, height as shares of the picture,
   `points` as many x, y, seen for each entry as `names` of keypoints there are. */
function columnsOf(coco) {
  if (!Array.isArray(coco?.images) || !Array.isArray(coco.annotations)) throw new Error("it has no boxes in COCO's form");
  const images = coco.images.map((image, place) => ({ ...image, time: momentOf(image, place) })).sort((a, b) => a.time - b.time);
  const place = new Map(images.map((image, number) => [image.id, number]));
  const kinds = coco.categories ?? [], kindOf = new Map(kinds.map((kind, number) => [kind.id, number]));
  const keypoints = Math.max(0, ...kinds.map((kind) => kind.keypoints?.length ?? 0));
  const known = coco.annotations.filter((one) => place.has(one.image_id) && one.bbox?.length === 4);
  known.sort((a, b) => place.get(a.image_id) - place.get(b.image_id));
  const times = Float64Array.from(images, (image) => image.time), starts = new Uint32Array(images.length + 1);
  const boxes = new Float32Array(4 * known.length), points = new Float32Array(3 * keypoints * known.length);
  const ids = new Int32Array(known.length), kindsOf = new Uint16Array(known.length), guessed = new Uint8Array(known.length);
  known.forEach((one, number) => {
    const image = images[place.get(one.image_id)], wide = image.width || 1, high = image.height || 1;
    starts[place.get(one.image_id) + 1] += 1;
    boxes.set([one.bbox[0] / wide, one.bbox[1] / high, one.bbox[2] / wide, one.bbox[3] / high], 4 * number);
    ids[number] = one.track_id ?? -1;
    kindsOf[number] = kindOf.get(one.category_id) ?? 0;
    guessed[number] = one.interpolated ? 1 : 0;
    const flat = one.keypoints ?? [];
    for (let at = 0; at + 2 < flat.length && at < 3 * keypoints; at += 3) {
      points.set([flat[at] / wide, flat[at + 1] / high, flat[at + 2]], 3 * keypoints * number + at);
    }
  });
  for (let number = 0; number < images.length; number += 1) starts[number + 1] += starts[number];
  return { times, starts, boxes, points, ids, kinds: kindsOf, guessed, keypoints, names: kinds.map((kind) => String(kind.name)), gap: usualGap(times) };
}

function momentOf(image, place) {
  if (Number.isFinite(image.timestamp)) return image.timestamp;
  const fragment = /#t=(\d+(?:\.\d+)?)/.exec(image.file_name ?? "");
  return fragment ? Number(fragment[1]) : place;
}

function usualGap(times) {
  const gaps = [];
  for (let number = 1; number < times.length; number += 1) gaps.push(times[number] - times[number - 1]);
  gaps.sort((a, b) => a - b);
  return gaps[gaps.length >> 1] || 1;
}
