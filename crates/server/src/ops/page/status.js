// The status page. Everything that it shows was asked of the enabler in the name of the token's owner, and is put on the
// page as text, never as markup.

const MOST_STEPS = 200; // what a person scrolls through
const MOST_LINES = 500;

const $ = (id) => document.getElementById(id);
const state = { token: null, systems: [], words: {}, twins: new Map(), steps: [], log: [], same: null, stop: null };

function el(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

function svg(name, attributes = {}, ...children) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  node.append(...children);
  return node;
}

function clock(at) {
  return new Date(at).toISOString().slice(11, 23);
}

function cut(text, length) {
  return text.length > length ? `${text.slice(0, length - 1)}…` : text;
}

class Refused extends Error {
  constructor(status, words) {
    super(words);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  const headers = { ...options.headers };
  if (state.token) headers.Authorization = `Bearer ${state.token}`;
  const response = await fetch(path, { ...options, headers, cache: "no-store" });
  const body = await response.json().catch(() => ({}));
  if (!response.ok) throw new Refused(response.status, body.detail || response.statusText);
  return body;
}

// ---- Who asks -------------------------------------------------------------------------------------------------------

function remembered() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    // The part after # never leaves the browser; now it does not stay in its history either.
    history.replaceState(null, "", location.pathname);
    sessionStorage.setItem("token", given);
  }
  return sessionStorage.getItem("token");
}

async function enter(secret) {
  if (/^\d{6}$/.test(secret)) {
    const paired = await ask("/v1/pairing", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ code: secret, name: "Status page" }),
    });
    secret = paired.token;
  }
  state.token = secret;
  try {
    state.words = (await ask("/v1/status")).procedures;
  } catch (error) {
    state.token = null;
    throw error;
  }
  sessionStorage.setItem("token", secret);
  open();
}

function leave(words = "") {
  state.token = null;
  sessionStorage.removeItem("token");
  state.stop?.abort();
  $("house").hidden = true;
  $("door").hidden = false;
  $("refusal").textContent = words;
}

// ---- Systems and twins ----------------------------------------------------------------------------------------------

function ms(value) {
  return value === null || value === undefined ? "–" : value < 10_000 ? `${value} ms` : `${Math.round(value / 1000)} s`;
}

function permille(value) {
  return value === null || value === undefined ? "–" : `${(value / 10).toFixed(1)} %`;
}

function showSystems() {
  const rows = state.systems.map(({ info, health }) => {
    const broken = health.broken || [];
    const level = health.level || {};
    const mood = !health.online ? "bad" : broken.length ? "warn" : "good";
    const words = !health.online ? "away" : broken.length ? `breaks its promise: ${broken.join(", ")}` : "there";
    const failures = health.failures + (health.call_failures || 0);
    const asked = health.commands + (health.calls || 0);
    return el("tr", { "data-system": info.id },
      el("td", {}, el("span", { class: `dot ${mood}` }), info.name,
        el("small", {}, `${info.id}${info.system_type ? ` · ${info.system_type}` : ""}`),
        el("small", { class: mood }, words)),
      el("td", { class: "number" }, String(health.twins)),
      el("td", { class: "number" }, permille(level.availability_permille)),
      el("td", { class: "number" }, String(asked), failures ? el("small", { class: "bad" }, `${failures} failed`) : null),
      el("td", { class: "number" }, ms(health.p50_ms ?? health.call_p50_ms)),
      el("td", { class: "number" }, ms(health.p99_ms ?? health.call_p99_ms)));
  });
  const head = el("tr", {}, el("th", {}, "System"),
    ...["Twins", "There", "Asked", "p50", "p99"].map((word) => el("th", { class: "number" }, word)));
  $("systems").replaceChildren(...(rows.length ? [head, ...rows] : [none("No system has registered yet.")]));
  $("systems-count").textContent = String(state.systems.length);
}

function none(words) {
  return el("tr", {}, el("td", { class: "none" }, words));
}

const TRUTH = { live: "good", pending: "warn", commanded: "warn", stale: "soft", diverged: "bad" };

function plain(value) {
  if (value === null || value === undefined) return "–";
  if (typeof value !== "object") return String(value);
  if (value.color) return `#${value.color.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
  if (value.blob) return value.blob.media;
  return cut(JSON.stringify(value), 40);
}

/** Properties of a twin with their readings. */
function readings(view) {
  const places = [];
  for (const [feature, about] of Object.entries(view.info.features)) {
    for (const [property, info] of Object.entries(about.properties)) places.push({ feature, property, info });
  }
  return places.map((place) => ({ ...place, reading: view.readings?.[place.feature]?.[place.property] }));
}

function showTwins() {
  const wanted = $("twins-filter").value.toLowerCase();
  const all = [...state.twins.values()].sort((a, b) => (a.info.id < b.info.id ? -1 : 1));
  const shown = all.filter(({ info }) => `${info.id} ${info.name}`.toLowerCase().includes(wanted));
  const rows = shown.map((view) => el("tr", {},
    el("td", {}, el("span", { class: `dot ${view.reachable ? "good" : "bad"}` }), view.info.name,
      el("small", {}, view.info.id)),
    el("td", {}, ...readings(view).map(({ feature, property, info, reading }) => {
      const truth = String(reading?.truth ?? "stale").toLowerCase();
      const age = reading?.age_ms === null || reading?.age_ms === undefined ? "never reported" : `${ms(reading.age_ms)} ago`;
      return el("span", { class: "value", title: `${feature}.${property}: ${truth}, ${age}` },
        el("span", { class: "soft" }, `${property} `),
        el("span", { class: TRUTH[truth] || "" }, `${plain(reading?.value)}${info.unit ? ` ${info.unit}` : ""}`));
    }))));
  $("twins").replaceChildren(...(rows.length ? rows : [none(all.length ? "Nothing fits the filter." : "No twin has been described yet.")]));
  $("twins-count").textContent = shown.length === all.length ? String(all.length) : `${shown.length} of ${all.length}`;
}

// ---- Procedures -----------------------------------------------------------------------------------------------------

const ORDER = { metaverse: 0, sif: 1, dtif: 2, twin_system: 3, third_party: 4 };
const NAMES = { sif: "SIF", dtif: "DTIF" };

function who(participant) {
  if (typeof participant === "string") return { kind: participant, name: NAMES[participant] || participant };
  const [kind, name] = Object.entries(participant)[0];
  return { kind, name };
}

function words(step) {
  const words = state.words[step.procedure]?.[step.step - 1] || "";
  return step.refused && words.endsWith("or rejects it") ? "rejects it" : words;
}

function shownSteps() {
  const wanted = $("steps-filter").value.toLowerCase();
  const procedure = $("procedure").value;
  return state.steps.filter((step) => (!procedure || step.procedure === procedure)
    && `${step.procedure}.${step.step} ${step.about} ${step.user ?? ""} ${step.trace ?? ""} ${words(step)} ${who(step.from).name} ${who(step.to).name}`
      .toLowerCase().includes(wanted));
}

function showSteps() {
  const steps = shownSteps();
  $("steps-count").textContent = steps.length === state.steps.length ? String(steps.length) : `${steps.length} of ${state.steps.length}`;
  const place = $("steps");
  if (!steps.length) {
    place.replaceChildren(el("p", { class: "none" }, state.steps.length ? "Nothing fits the filter." : "Nothing has happened since the enabler started."));
    return;
  }
  const lanes = new Map();
  for (const step of steps) {
    for (const one of [who(step.from), who(step.to)]) lanes.set(`${one.kind} ${one.name}`, one);
  }
  const order = [...lanes.entries()].sort(([a, x], [b, y]) => ORDER[x.kind] - ORDER[y.kind] || (a < b ? -1 : 1));
  const atBottom = place.scrollTop + place.clientHeight >= place.scrollHeight - 40;
  place.replaceChildren(...diagram(steps, order, place.clientWidth));
  if (atBottom || place.scrollTop === 0) place.scrollTop = place.scrollHeight;
}

function diagram(steps, lanes, room) {
  const [gutter, row, top] = [414, 26, 38];
  // As wide as there is room for, and never so narrow that arrows are shorter than their names.
  const lane = Math.max(84, Math.min(150, (room - gutter - 8) / lanes.length));
  const width = gutter + lane * lanes.length;
  const height = row * steps.length + 10;
  const x = new Map(lanes.map(([key], index) => [key, gutter + lane * (index + 0.5)]));
  const head = svg("svg", { class: "lanes", width, height: top });
  const picture = svg("svg", { width, height, role: "img", "aria-label": "Sequence of procedure steps" });
  for (const [key, { kind, name }] of lanes) {
    const at = x.get(key);
    picture.append(svg("line", { class: "life", x1: at, x2: at, y1: 0, y2: height }));
    head.append(label(cut(name, Math.floor(lane / 7.5)), { x: at, y: 16, "text-anchor": "middle", "font-weight": 600 }));
    head.append(label(kind.replace("_", " "), { x: at, y: 29, "text-anchor": "middle", class: "lane", "font-size": 10 }));
  }
  steps.forEach((step, index) => picture.append(arrow(step, row * index, row, width, x)));
  return [head, picture];
}

function label(text, attributes) {
  const node = svg("text", attributes);
  node.textContent = text;
  return node;
}

function arrow(step, y, row, width, x) {
  const [from, to] = [who(step.from), who(step.to)].map((one) => x.get(`${one.kind} ${one.name}`));
  const middle = y + row / 2;
  const id = `${step.procedure}.${step.step}`;
  const same = state.same !== null && step.trace === state.same;
  const group = svg("g", { class: `step${step.refused ? " refused" : ""}${same ? " same" : ""}`, "data-step": id, "data-sequence": step.sequence });
  group.append(svg("rect", { class: "row", x: 0, y, width, height: row }));
  group.append(label(clock(step.at), { class: "time", x: 14, "font-size": 11, y: middle + 4 }));
  group.append(label(cut(words(step), 36), { x: 92, y: middle + 4 }));
  group.append(label(cut(step.about, 17), { class: "lane", x: 312, y: middle + 4, "font-size": 11 }));
  if (from === to) {
    group.append(svg("path", { class: "arrow", d: `M ${from} ${middle - 7} h 26 v 14 h -20` }));
    group.append(svg("path", { class: "tip", d: `M ${from} ${middle + 7} l 8 -4 v 8 z` }));
  } else {
    const way = to > from ? 1 : -1;
    group.append(svg("line", { class: "arrow", x1: from, x2: to - way * 7, y1: middle, y2: middle }));
    group.append(svg("path", { class: "tip", d: `M ${to} ${middle} l ${-way * 8} -4 v 8 z` }));
  }
  const center = from === to ? from - 24 : (from + to) / 2;
  group.append(svg("rect", { class: "pill", x: center - 20, y: middle - 9, width: 40, height: 18, rx: 9 }));
  group.append(label(id, { class: "id", x: center, y: middle + 4, "text-anchor": "middle", "font-size": 11 }));
  const title = svg("title");
  title.textContent = `${id} ${who(step.from).name} ${words(step)}${step.refused ? " (refused)" : ""}\n${step.about}\n${step.user ? `for ${step.user}\n` : ""}${step.trace ? `trace ${step.trace}` : "no trace"}`;
  group.append(title);
  group.addEventListener("click", () => {
    state.same = step.trace && state.same !== step.trace ? step.trace : null;
    showSteps();
  });
  return group;
}

function addStep(step) {
  if (state.steps.some((known) => known.sequence === step.sequence)) return;
  state.steps.push(step);
  state.steps.sort((a, b) => a.sequence - b.sequence);
  state.steps.splice(0, Math.max(0, state.steps.length - MOST_STEPS));
  showSteps();
}

// ---- Log ------------------------------------------------------------------------------------------------------------

function kindOf(line) {
  const event = line.parsed;
  if (typeof event === "string") return event;
  return event?.event ?? event?.type ?? Object.keys(event ?? {})[0] ?? "?";
}

/** What an event says besides its kind. */
function inner(line) {
  const event = line.parsed;
  if (event && typeof event === "object" && Object.keys(event).length === 1) return JSON.stringify(Object.values(event)[0]);
  return line.event;
}

function showLog() {
  const wanted = $("log-filter").value.toLowerCase();
  const kind = $("log-kind").value;
  const kinds = [...new Set(state.log.map(kindOf))].sort();
  const options = [el("option", { value: "" }, "all kinds"), ...kinds.map((one) => el("option", {}, one))];
  if ($("log-kind").options.length !== options.length) {
    $("log-kind").replaceChildren(...options);
    $("log-kind").value = kinds.includes(kind) ? kind : "";
  }
  const shown = state.log.filter((line) => (!kind || kindOf(line) === kind) && line.event.toLowerCase().includes(wanted));
  const rows = shown.slice(-MOST_LINES).reverse().map((line) => el("tr", {},
    el("td", { class: "number soft" }, String(line.sequence)),
    el("td", { class: "number soft", title: new Date(line.at).toISOString() }, clock(line.at)),
    el("td", {}, el("b", {}, kindOf(line)), " ", el("code", { class: "soft" }, cut(inner(line), 400)))));
  $("log").replaceChildren(...(rows.length ? rows : [none(state.log.length ? "Nothing fits the filter." : "The log is empty, or not yours to read.")]));
  $("log-count").textContent = shown.length === state.log.length ? `${shown.length} lines` : `${shown.length} of ${state.log.length} lines`;
}

function parse(line) {
  const event = typeof line.event === "string" ? line.event : JSON.stringify(line.event);
  try {
    return { ...line, event, parsed: JSON.parse(event) };
  } catch {
    return { ...line, event, parsed: null };
  }
}

// ---- Keeping up -----------------------------------------------------------------------------------------------------

/** A page of a list, however it is wrapped. */
function listed(body) {
  return Array.isArray(body) ? body : Object.values(body).find(Array.isArray) ?? [];
}

async function everything(path) {
  const all = [];
  let next = path;
  // A house has a few pages; a registry of a million twins is not for one screen.
  for (let page = 0; next && page < 10; page += 1) {
    const body = await ask(next);
    all.push(...listed(body));
    next = body.next ? `${path}${path.includes("?") ? "&" : "?"}after=${encodeURIComponent(body.next)}` : null;
  }
  return all;
}

async function refresh() {
  const status = await ask("/v1/status");
  $("name").textContent = status.name;
  document.title = `${status.name}: status`;
  $("ready").textContent = status.unready ? `not ready: ${status.unready}` : "ready";
  $("ready").className = status.unready ? "bad" : "good";
  const count = (word, number) => el("span", {}, el("b", {}, String(number)), ` ${word}`);
  $("counts").replaceChildren(count("sessions", status.sessions), count("twins", status.twins),
    count("devices", status.devices), count("open commands", status.open_commands), count("log lines", status.log_lines));
  state.systems = await everything("/v1/systems");
  showSystems();
  const twins = [];
  for (const { info } of state.systems.slice(0, 50)) {
    if (info.kind === "digital_twin") twins.push(...await everything(`/v1/systems/${encodeURIComponent(info.id)}/twins`));
  }
  state.twins = new Map(twins.map((view) => [view.info.id, view]));
  showTwins();
  await readLog(status.log_lines);
  await readSteps();
}

async function readLog(lines) {
  try {
    const last = state.log.at(-1)?.sequence ?? Math.max(0, lines - MOST_LINES);
    const fresh = listed(await ask(`/v1/log?after=${last}&limit=500`));
    if (!fresh.length && state.log.length) return;
    state.log.push(...fresh.map(parse));
    state.log.splice(0, Math.max(0, state.log.length - MOST_LINES));
  } catch (error) {
    // Only owners read the log: everybody else sees the rest of the page.
    if (error.status !== 403) throw error;
  }
  showLog();
}

async function readSteps() {
  const last = state.steps.at(-1)?.sequence ?? 0;
  for (const step of listed(await ask(`/v1/steps?after=${last}`))) addStep(step);
  if (!state.steps.length) showSteps();
}

/** Reads server-sent events with the token, which a browser's own EventSource cannot carry. */
async function follow(path, take, stop) {
  const response = await fetch(path, {
    headers: { Authorization: `Bearer ${state.token}`, Accept: "text/event-stream" },
    cache: "no-store",
    signal: stop.signal,
  });
  if (!response.ok) throw new Refused(response.status, response.statusText);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    rest += value;
    const blocks = rest.split(/\r?\n\r?\n/);
    rest = blocks.pop();
    for (const block of blocks) {
      const data = block.split(/\r?\n/).filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      const event = block.split(/\r?\n/).find((line) => line.startsWith("event:"))?.slice(6).trim();
      if (data.length) take(event, JSON.parse(data.join("\n")));
    }
  }
}

function live(words, mood) {
  $("live").textContent = words;
  $("live").className = mood;
}

async function keepUp(stop) {
  let pause = 500;
  while (!stop.signal.aborted) {
    try {
      await refresh();
      live("live", "good");
      pause = 500;
      const again = setInterval(() => refresh().catch(() => {}), 3000);
      try {
        await follow("/v1/events?steps=true", (event, told) => event === "step" && addStep(told), stop);
      } finally {
        clearInterval(again);
      }
    } catch (error) {
      if (stop.signal.aborted) return;
      if (error.status === 401) return leave("The token is not known here any more.");
      live(`not live: ${error.message}; trying again`, "bad");
    }
    await new Promise((done) => setTimeout(done, pause));
    pause = Math.min(pause * 2, 8000);
  }
}

function open() {
  $("door").hidden = true;
  $("house").hidden = false;
  state.stop?.abort();
  state.stop = new AbortController();
  keepUp(state.stop);
}

$("leave").addEventListener("click", () => leave());
$("twins-filter").addEventListener("input", showTwins);
$("steps-filter").addEventListener("input", showSteps);
$("procedure").addEventListener("change", showSteps);
$("log-filter").addEventListener("input", showLog);
$("log-kind").addEventListener("change", showLog);
document.querySelector("#door form").addEventListener("submit", (event) => {
  event.preventDefault();
  enter($("secret").value.trim()).catch((error) => { $("refusal").textContent = error.message; });
});

const token = remembered();
if (token) {
  enter(token).catch((error) => leave(error.message));
} else {
  leave();
}
