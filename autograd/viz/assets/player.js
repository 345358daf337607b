// Makes a drawn graph live: pan and zoom, and (with steps) a replay of backward. No library, no network.
function chainrule(host, svg, rows) {
  // a row: edge, op, value, its gradient so far, whether that is final
  const steps = rows && rows.map(([e, n, t, g, last]) => ({ e, n, t, g, last }));
  const one = (query) => host.querySelector(query), stage = one(".stage");
  const part = (id) => id && svg.querySelector('[id="' + id + '"]');
  host.classList.add("live");
  svg.classList.add("live");

  // ---- pan and zoom
  const box = svg.viewBox.baseVal;
  const view = { x: 0, y: 0, scale: 1 };
  const LEGIBLE = 0.8;  // a smaller picture cannot be read: then it opens at this size, and a replay follows its steps
  const show = () => { svg.style.transform = "translate(" + view.x + "px," + view.y + "px) scale(" + view.scale + ")"; mark(); };
  function fit(least) {
    const width = stage.clientWidth || box.width, zoom = Math.min(1.35, Math.max(width / box.width, least || 0.05));
    svg.setAttribute("width", box.width);
    svg.setAttribute("height", box.height);
    stage.style.height = Math.min(Math.max(box.height * zoom, 120), innerHeight * 0.7) + "px";
    const scale = Math.min(zoom, Math.max(stage.clientHeight / box.height, least || 0));
    const free = (space, size) => Math.max(0, (space - size * scale) / 2);
    Object.assign(view, { scale, x: free(width, box.width), y: free(stage.clientHeight, box.height) });
    show();
  }
  function open() { fit(LEGIBLE); if (steps) follow(); }
  function follow() {  // move what the current step lights into sight: all of it, or the value if all is too much
    const lit = [...svg.querySelectorAll(".now")].map((each) => each.getBoundingClientRect());
    const value = svg.querySelector(".value.now, .fold.now"), seen = stage.getBoundingClientRect(), edge = 24;
    if (!value) return;
    const shift = (low, high, space) => {
      const ends = (rects) => [Math.min(...rects.map((r) => r[low])) - edge, Math.max(...rects.map((r) => r[high])) + edge];
      let [first, last] = ends(lit);
      if (last - first > space) [first, last] = ends([value.getBoundingClientRect()]);
      return first >= seen[low] && last <= seen[high] ? 0 : (seen[low] + seen[high] - first - last) / 2;
    };
    const inside = (at, size, space) => size < space ? (space - size) / 2 : Math.min(0, Math.max(space - size, at));
    const x = shift("left", "right", stage.clientWidth), y = shift("top", "bottom", stage.clientHeight);
    if (x) view.x = inside(view.x + x, box.width * view.scale, stage.clientWidth);
    if (y) view.y = inside(view.y + y, box.height * view.scale, stage.clientHeight);
    show();
  }
  function zoom(factor, x, y) {
    const scale = Math.min(8, Math.max(0.05, view.scale * factor));
    view.x = x - (x - view.x) * scale / view.scale;
    view.y = y - (y - view.y) * scale / view.scale;
    view.scale = scale;
    show();
  }
  stage.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && host.dataset.scroll === "page") return;
    event.preventDefault();
    const at = stage.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * 0.0015), event.clientX - at.left, event.clientY - at.top);
  }, { passive: false });
  let grip = null;
  stage.addEventListener("pointerdown", (event) => {
    grip = { x: event.clientX - view.x, y: event.clientY - view.y };
    stage.setPointerCapture(event.pointerId);
  });
  stage.addEventListener("pointermove", (event) => {
    if (grip) { view.x = event.clientX - grip.x; view.y = event.clientY - grip.y; show(); }
  });
  for (const name of ["pointerup", "pointercancel"]) stage.addEventListener(name, () => { grip = null; });
  svg.addEventListener("click", (event) => event.preventDefault(), true);
  for (const link of svg.querySelectorAll("a")) link.setAttribute("tabindex", "-1");
  const middle = (factor) => zoom(factor, stage.clientWidth / 2, stage.clientHeight / 2);
  one(".in").onclick = () => middle(1.25);
  one(".out").onclick = () => middle(0.8);
  one(".fit").onclick = () => fit();
  addEventListener("resize", open);

  // ---- the small picture in the corner: where one is, while not all is in sight
  const mini = one(".mini"), SVG = "http://www.w3.org/2000/svg", map = document.createElementNS(SVG, "svg");
  const seen_ = document.createElementNS(SVG, "rect"), whole = svg.querySelector("g").cloneNode(false);
  for (const each of svg.querySelectorAll("g[id]")) {
    const shape = each.querySelector("rect, path, polygon, circle, ellipse"), twin = each.cloneNode(false);
    if (!shape || each === svg.querySelector("g")) continue;
    twin.removeAttribute("id");
    twin.append(shape.cloneNode(false));
    whole.append(twin);
  }
  seen_.setAttribute("class", "seen");
  map.setAttribute("class", "chainrule");
  map.setAttribute("viewBox", "0 0 " + box.width + " " + box.height);
  map.append(whole, seen_);
  const small = Math.min(200 / box.width, 130 / box.height);
  mini.style.width = box.width * small + "px";
  mini.style.height = box.height * small + "px";
  mini.append(map);
  function mark() {  // what of the picture is on the stage, in its own units
    const place = { x: -view.x / view.scale, y: -view.y / view.scale, width: stage.clientWidth / view.scale, height: stage.clientHeight / view.scale };
    const past = (at, space, size) => at > 1 || at + space < size - 1;
    mini.classList.toggle("needed", past(place.x, place.width, box.width) || past(place.y, place.height, box.height));
    for (const name in place) seen_.setAttribute(name, place[name]);
  }
  function visit(event) {
    const at = map.getBoundingClientRect();
    view.x = stage.clientWidth / 2 - (event.clientX - at.left) / small * view.scale;
    view.y = stage.clientHeight / 2 - (event.clientY - at.top) / small * view.scale;
    show();
  }
  mini.addEventListener("pointerdown", (event) => { mini.setPointerCapture(event.pointerId); visit(event); });
  mini.addEventListener("pointermove", (event) => { if (event.buttons) visit(event); });

  // ---- look things up: search, the table by module, keys
  const nodes = [...svg.querySelectorAll("g[id]")].filter((g) => /^[vf]\d+o?$/.test(g.id));
  const search = one("input[type=search]"), found = one(".found"), rows_ = [...host.querySelectorAll("tr[data-id]")];
  let hits = [], at_hit = -1;
  function center(box) {
    const lit = box.getBoundingClientRect(), seen = stage.getBoundingClientRect();
    view.x += (seen.left + seen.right - lit.left - lit.right) / 2;
    view.y += (seen.top + seen.bottom - lit.top - lit.bottom) / 2;
    show();
  }
  function light(box) {
    for (const each of nodes) each.classList.toggle("hit", each === box);
    for (const row of rows_) row.classList.toggle("hit", !!box && row.dataset.id === box.id);
    if (box) center(box);
  }
  function seek() {
    const wanted = search.value.trim().toLowerCase();
    hits = wanted ? nodes.filter((each) => each.textContent.toLowerCase().includes(wanted)) : [];
    at_hit = -1;
    for (const each of nodes) each.classList.toggle("miss", !!wanted && !hits.includes(each));
    for (const row of rows_) row.hidden = !!wanted && !row.textContent.toLowerCase().includes(wanted);
    found.textContent = wanted ? hits.length + " of " + nodes.length : "";
    light(null);
  }
  function next() { if (hits.length) { at_hit = (at_hit + 1) % hits.length; light(hits[at_hit]); found.textContent = (at_hit + 1) + " of " + hits.length; } }
  search.oninput = seek;
  search.addEventListener("keydown", (event) => {
    event.stopPropagation();
    if (event.key === "Enter") next();
    if (event.key === "Escape") { search.value = ""; seek(); stage.focus(); }
  });
  for (const row of rows_) row.onclick = () => light(part(row.dataset.id));
  for (const button of host.querySelectorAll("tr.module button")) button.onclick = () => {
    const open_ = button.getAttribute("aria-expanded") !== "true", body = button.closest("tbody");
    button.setAttribute("aria-expanded", open_);
    body.classList.toggle("closed", !open_);
    for (const row of body.querySelectorAll("tr[data-id]")) {  // what is closed in the table is faint in the picture
      const box = part(row.dataset.id);
      if (box) box.classList.toggle("miss", !open_);
    }
  };
  const looks = { "+": () => middle(1.25), "=": () => middle(1.25), "-": () => middle(0.8), "0": () => fit(), "/": () => search.focus(),
    Escape: () => { search.value = ""; seek(); } };
  (host.dataset.scroll === "page" ? host : document).addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !looks[event.key] || event.target === search) return;
    event.preventDefault();
    looks[event.key]();
  });
  if (!steps) return open();

  // ---- replay: state is the number of steps done; every state is computed from the start, so back and forth agree
  const slider = one("input"), said = one(".say"), count = one("output"), play = one(".play");
  const texts = host.querySelectorAll("ol.steps > li");
  const cells = new Map();
  function gradient(id) {  // the text elements that follow the word "grad" in a box
    if (!cells.has(id)) {
      const [box, row] = id.split("/"), group = part(box), all = group ? [...group.querySelectorAll("text")] : [];
      const parts = all.filter((text) => text.textContent.startsWith("∂"));  // of the weights in a card, row by row
      const at = row ? all.indexOf(parts[row]) : all.findIndex((text) => text.textContent.trim() === "grad");
      const rest = at < 0 ? [] : row ? [all[at]] : all.slice(at + 1);
      let fill = at < 0 ? null : all[at].previousElementSibling;
      while (fill && !["polygon", "path", "rect"].includes(fill.tagName)) fill = fill.previousElementSibling;
      cells.set(id, Object.assign(rest.map((text) => [text, text.textContent]), { fill }));
    }
    return cells.get(id);
  }
  for (const step of steps) gradient(step.t);
  const edges = [...new Set(steps.flatMap((step) => step.e || []))];
  let at = 0, timer = null;
  function write(id, text, whole) {
    const cell = gradient(id);
    if (cell.fill) cell.fill.style.fillOpacity = whole ? 1 : 0.12;
    cell.forEach(([element, original], row) => {
      element.textContent = whole ? original : row ? "" : (id.includes("/") ? "∂ " : "") + text;
    });
  }
  function draw() {
    const done = new Map();
    steps.slice(0, at + 1).forEach((step, i) => done.set(step.t, i));
    for (const [id] of cells) write(id, done.has(id) ? steps[done.get(id)].g : "–", done.has(id) && steps[done.get(id)].last);
    const now = steps[at];
    const past = new Set(steps.slice(0, at + 1).map((step) => step.e));
    for (const id of edges) {
      const edge = part(id);
      if (edge) { edge.classList.toggle("todo", !past.has(id)); edge.classList.toggle("now", now.e === id); }
    }
    svg.querySelectorAll(".op.now, .value.now, .fold.now").forEach((each) => each.classList.remove("now"));
    for (const id of [now.n, now.t.split("/")[0]]) { const each = part(id); if (each) each.classList.add("now"); }
    said.innerHTML = texts[at].innerHTML;
    slider.value = at;
    slider.setAttribute("aria-valuetext", texts[at].textContent);
    count.textContent = "step " + at + " of " + (steps.length - 1);
    host.dataset.step = at;
    follow();
  }
  function go(to) { at = Math.min(Math.max(to, 0), steps.length - 1); draw(); }
  function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; play.setAttribute("aria-label", "Play"); }
  function toggle() {
    if (timer) return stop();
    if (at === steps.length - 1) go(0);
    play.textContent = "Pause";
    play.setAttribute("aria-label", "Pause");
    timer = setInterval(() => { go(at + 1); if (at === steps.length - 1) stop(); }, Number(host.dataset.pace || 1100));
  }
  slider.max = steps.length - 1;
  slider.oninput = () => { stop(); go(Number(slider.value)); };
  const moves = { ".first": () => go(0), ".back": () => go(at - 1), ".next": () => go(at + 1), ".last": () => go(steps.length - 1) };
  for (const [name, move] of Object.entries(moves)) one(name).onclick = () => { stop(); move(); };
  play.onclick = toggle;
  const keys = { ArrowLeft: ".back", ArrowRight: ".next", Home: ".first", End: ".last" };
  (host.dataset.scroll === "page" ? host : document).addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (keys[event.key]) { event.preventDefault(); one(keys[event.key]).click(); }
    else if (event.key === " " && event.target.tagName !== "BUTTON" && event.target.tagName !== "SUMMARY") { event.preventDefault(); toggle(); }
  });
  draw();
  open();
}
