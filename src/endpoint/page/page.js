// The live page: asks /status every second and draws it. Whatever comes from frames is set as text, never as markup.
"use strict";

const PAUSE_MS = 1000;
const ANSWER_MS = 5000;
const STAGES = {
  poll_to_encoded: "poll to encoded",
  encoded_to_acknowledged: "encoded to acknowledged",
  transaction_commit: "commit of a transaction",
  event_to_acknowledged: "event time to acknowledged",
};
const INKS = Object.keys(STAGES);
const WORKS = ["OK", "WARN", "STALE"];

// What is drawn at present: tests and curious people look here.
const hub = (window.hub = { status: null, drawn: 0 });
let symbol = "";
let stage = "";
let answeredAt = 0;

const at = (id) => document.getElementById(id);

function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// ---- how figures are written

const whole = (number) => Math.round(number).toLocaleString("en");
const rate = (number) => (number > 0 && number < 10 ? number.toFixed(1) : whole(number));
const known = (value, write) => (value === null || value === undefined ? "–" : write(value));

function span(seconds) {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 1e-6) return `${Math.round(seconds * 1e9)} ns`;
  if (size < 1e-3) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
  if (size < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  if (size < 120) return `${Number(seconds.toPrecision(3))} s`;
  if (size < 7200) return `${Math.round(seconds / 60)} min`;
  if (size < 172800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86400)} d`;
}

function set(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// ---- head

function drawHead(status) {
  const down = status.lanes.filter((lane) => !["OK", "WARN"].includes(lane.state)).length;
  const badge = at("ready");
  badge.dataset.state = status.ready ? "OK" : status.phase === "running" ? "ERR" : "START";
  set(badge, status.ready ? "READY" : status.phase === "running" ? `NOT READY: ${down} of ${status.lanes.length} lanes` : status.phase.toUpperCase());
  set(at("version"), status.version);
  const total = (value) => status.lanes.reduce((sum, lane) => sum + (value(lane) || 0), 0);
  set(at("total-rate"), rate(total((lane) => lane.frames_per_s)));
  set(at("total-lag"), status.lanes.some((lane) => lane.lag !== null) ? whole(total((lane) => lane.lag)) : "–");
  set(at("total-letters"), whole(total((lane) => lane.dead_letters)));
  set(at("uptime"), span((status.now_ms - status.started_ms) / 1000));
  set(at("memory"), `${whole(status.process.resident_bytes / 1048576)} MiB`);
  document.title = status.ready ? "market-hub" : "(!) market-hub";
}

// ---- feeds

const cards = new Map();

function newCard(feed) {
  const rows = ["lag", "dead letters", "unverified books", "last frame", "clock skew", "early, repeated", "drift"];
  const list = make("dl");
  const cells = {};
  for (const row of rows) {
    if (row === "unverified books" && feed.kind !== "orderbook") continue;
    cells[row] = make("dd", { "data-cell": row });
    list.append(make("dt", {}, row), cells[row]);
  }
  const badge = make("span", { class: "badge" });
  const figure = make("span", { "data-cell": "rate" });
  const reason = make("p", { class: "reason" });
  const title = make("h3", {}, make("span", {}, feed.exchange, " ", make("small", {}, feed.kind)), badge);
  const card = make("div", { class: "card", "data-feed": `${feed.exchange} ${feed.kind}` }, title, make("div", { class: "rate" }, figure, make("small", {}, " frames/s")), list, reason);
  at("feeds").append(card);
  return { card, badge, figure, reason, cells };
}

function drawFeed(feed) {
  const key = `${feed.exchange} ${feed.kind}`;
  if (!cards.has(key)) cards.set(key, newCard(feed));
  const { card, badge, figure, reason, cells } = cards.get(key);
  card.dataset.state = feed.state;
  set(badge, feed.state);
  set(figure, rate(feed.frames_per_s));
  const behind = feed.lag ? ` (${known(feed.lag_s, span)})` : "";
  set(cells.lag, known(feed.lag, whole) + behind);
  set(cells["dead letters"], whole(feed.dead_letters));
  if (cells["unverified books"]) {
    set(cells["unverified books"], `${whole(feed.books_unverified)} of ${whole(feed.books_live + feed.books_unverified)}`);
    cells["unverified books"].classList.toggle("alarm", feed.books_unverified > 0);
  }
  set(cells["last frame"], known(feed.last_seen_s, (seconds) => (seconds < 2 ? "now" : `${span(Math.round(seconds))} ago`)));
  set(cells["clock skew"], known(feed.skew_s, (skew) => span(skew[1])));
  set(cells["early, repeated"], `${whole(feed.out_of_order)}, ${whole(feed.duplicates)}`);
  set(cells.drift, feed.sampled ? `${whole(feed.drifted)} of ${whole(feed.sampled)}` : "–");
  cells.drift.classList.toggle("alarm", feed.drifted > 0);
  set(reason, feed.reason || "");
  reason.hidden = !feed.reason;
  return key;
}

function drawFeeds(feeds) {
  // What is in trouble stands first.
  const rank = (feed) => (!WORKS.includes(feed.state) ? 0 : feed.state === "STALE" ? 1 : 2);
  const sorted = feeds.map((feed, index) => [rank(feed), index, feed]).sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  sorted.forEach(([, , feed], place) => {
    const { card } = cards.get(drawFeed(feed));
    if (at("feeds").children[place] !== card) at("feeds").insertBefore(card, at("feeds").children[place] || null);
  });
}

// ---- plots

const SVG = "http://www.w3.org/2000/svg";

function shape(tag, attributes, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  return element;
}

// Lines over two axes, the upright one logarithmic in seconds. `lines` have an ink and points [x, seconds]; `ticks` are [x, text].
function plot(box, name, lines, ticks, [left, right]) {
  const width = Math.max(box.clientWidth - 8, 240), height = Math.max(box.clientHeight - 8, 120);
  const values = lines.flatMap((line) => line.points.map((point) => point[1])).filter((value) => value > 0);
  const drawing = shape("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": name });
  if (values.length === 0) {
    drawing.append(shape("text", { x: width / 2, y: height / 2, "text-anchor": "middle" }, "nothing measured yet"));
    return box.replaceChildren(drawing);
  }
  const low = Math.floor(Math.log10(Math.min(...values))), high = Math.max(Math.ceil(Math.log10(Math.max(...values))), low + 1);
  const x = (value) => 56 + ((value - left) / (right - left)) * (width - 72);
  const y = (value) => height - 24 - ((Math.log10(Math.max(value, 10 ** low)) - low) / (high - low)) * (height - 36);
  for (let power = low; power <= high; power += 1) {
    drawing.append(shape("line", { class: "grid", x1: 56, x2: width - 16, y1: y(10 ** power), y2: y(10 ** power) }));
    drawing.append(shape("text", { x: 50, y: y(10 ** power) + 4, "text-anchor": "end" }, span(10 ** power)));
  }
  for (const [value, text] of ticks) {
    drawing.append(shape("line", { class: "grid", x1: x(value), x2: x(value), y1: 12, y2: height - 24 }));
    drawing.append(shape("text", { x: x(value), y: height - 8, "text-anchor": "middle" }, text));
  }
  for (const { ink, points } of lines) {
    const places = points.map(([value, seconds]) => `${x(value).toFixed(1)},${y(seconds).toFixed(1)}`);
    if (places.length === 1) drawing.append(shape("circle", { class: `ink-${ink}`, r: 3, cx: places[0].split(",")[0], cy: places[0].split(",")[1] }));
    else drawing.append(shape("polyline", { class: `ink-${ink}`, points: places.join(" ") }));
  }
  box.replaceChildren(drawing);
}

function legend(element, names) {
  const text = names.map(([, name]) => name).join();
  if (element.dataset.names === text) return;
  element.dataset.names = text;
  element.replaceChildren(...names.map(([ink, name]) => make("span", { class: `key ink-${ink}` }, name)));
}

function drawLatencies(latencies) {
  const nines = (percent) => (percent >= 100 ? 4.6 : -Math.log10(1 - percent / 100));
  const measured = latencies.filter((row) => row.curve.length > 0);
  const curves = measured.map((row) => ({ ink: INKS.indexOf(row.stage), points: row.curve.map(([percent, seconds]) => [nines(percent), seconds]) }));
  legend(at("curve-legend"), measured.map((row) => [INKS.indexOf(row.stage), STAGES[row.stage]]));
  plot(at("curve"), "Latency by percentile and stage", curves, [[nines(50), "50 %"], [1, "90 %"], [2, "99 %"], [3, "99.9 %"], [4.6, "max"]], [0, 4.6]);

  const choice = at("stage");
  const stages = latencies.map((row) => row.stage).join();
  if (choice.dataset.stages !== stages) {
    choice.dataset.stages = stages;
    choice.replaceChildren(...latencies.map((row) => make("option", { value: row.stage }, STAGES[row.stage])));
    if (!latencies.some((row) => row.stage === stage)) stage = latencies.length > 1 ? latencies[1].stage : latencies.length ? latencies[0].stage : "";
    choice.value = stage;
  }
  const row = latencies.find((one) => one.stage === stage);
  const now = hub.status.now_ms;
  const lines = [];
  for (const [ink, column] of [[0, 1], [1, 2], [2, 3]]) {
    // Where nothing was measured for a while the line has a gap.
    let points = [];
    for (const point of row ? row.history : []) {
      const minutes = (point[0] - now) / 60000;
      if (points.length && minutes - points[points.length - 1][0] > 0.5) {
        lines.push({ ink, points });
        points = [];
      }
      points.push([Math.max(minutes, -15), point[column]]);
    }
    if (points.length) lines.push({ ink, points });
  }
  legend(at("history-legend"), [[0, "median"], [1, "99 %"], [2, "max"]]);
  plot(at("history"), "Latency of the last 15 minutes", lines, [[-15, "-15 min"], [-10, "-10"], [-5, "-5"], [0, "now"]], [-15, 0]);
}

// ---- prices

const quotes = new Map();

function drawQuotes(status) {
  const choice = at("symbol");
  const names = status.symbols.join();
  if (choice.dataset.names !== names) {
    choice.dataset.names = names;
    choice.replaceChildren(...status.symbols.map((name) => make("option", { value: name }, name)));
    if (!status.symbols.includes(symbol)) symbol = status.symbols.includes("BTC") ? "BTC" : status.symbols[0] || "";
    choice.value = symbol;
  }
  const rows = status.quotes.filter((quote) => quote.symbol === symbol);
  for (const [exchange, row] of quotes) {
    if (!rows.some((quote) => quote.exchange === exchange)) {
      row.line.remove();
      quotes.delete(exchange);
    }
  }
  for (const quote of rows) {
    if (!quotes.has(quote.exchange)) {
      const cells = Object.fromEntries(["bid", "ask", "spread"].map((name) => [name, make("td", { class: "number", "data-cell": name })]));
      const book = make("td");
      const line = make("tr", { "data-quote": quote.exchange }, make("td", {}, quote.exchange), cells.bid, cells.ask, cells.spread, book);
      at("quotes").append(line);
      quotes.set(quote.exchange, { line, cells, book });
    }
    const { cells, book } = quotes.get(quote.exchange);
    for (const name of ["bid", "ask", "spread"]) {
      const text = quote[name] === null ? "–" : quote[name];
      if (cells[name].textContent === text) continue;
      cells[name].textContent = text;
      cells[name].classList.remove("moved");
      void cells[name].offsetWidth;
      cells[name].classList.add("moved");
    }
    set(book, (quote.is_verified ? "live" : "unverified") + (quote.age_s > 5 ? `, ${span(Math.round(quote.age_s))} old` : ""));
  }
}

// ---- threads

function drawThreads(threads) {
  const byCpus = new Map();
  for (const thread of threads) {
    const name = thread.role === "Kafka client" ? "rdkafka" : thread.name.replace(/-\d+$/, thread.role === "worker" ? "$&" : "");
    if (!byCpus.has(thread.cpus)) byCpus.set(thread.cpus, new Map());
    const names = byCpus.get(thread.cpus);
    const entry = names.get(name) || { count: 0, busy: 0, role: thread.role };
    names.set(name, { count: entry.count + 1, busy: entry.busy + thread.busy, role: thread.role });
  }
  const parts = [];
  for (const [cpus, names] of [...byCpus].sort((a, b) => a[0].localeCompare(b[0], "en", { numeric: true }))) {
    parts.push(make("h3", {}, `CPU ${cpus}`));
    const busiest = [...names].sort((a, b) => b[1].busy - a[1].busy);
    const item = ([name, entry]) => make("li", { "data-role": entry.role }, name, entry.count > 1 ? ` ×${entry.count}` : "", " ", make("small", {}, `${Math.round(entry.busy * 100)} %`));
    parts.push(make("ul", {}, ...busiest.map(item)));
  }
  at("cpus").replaceChildren(...parts);
}

// ---- dead letters and drift

function fill(body, rows, columns, empty) {
  body.replaceChildren(...(rows.length ? rows : [make("tr", {}, make("td", { class: "empty", colspan: columns }, empty))]));
}

function drawLetters(letters) {
  const rows = letters.map((letter) => {
    const where = `${letter.lane} @${letter.offset}${letter.frame === null ? "" : `, frame ${letter.frame}`}`;
    const more = letter.bytes > letter.value.length ? ` … (${whole(letter.bytes)} bytes)` : "";
    const of = [letter.exchange, letter.symbol].filter(Boolean).join(" ");
    return make("tr", {}, make("td", {}, letter.reason), make("td", {}, where), make("td", {}, of || "–"), make("td", {}, make("code", {}, letter.value.slice(0, 160) + more)));
  });
  fill(at("letters"), rows, 4, "none since the start");
}

function drawDrift(drift) {
  at("drift-section").hidden = drift.length === 0;
  const row = (one) => make("tr", {}, make("td", {}, `${one.exchange} ${one.kind}`), make("td", {}, `${one.what}: ${one.key}`), make("td", { class: "number" }, whole(one.count)), make("td", {}, make("code", {}, one.example.slice(0, 200))));
  fill(at("drift"), drift.map(row), 4, "none");
}

// ---- the round

function draw(status) {
  hub.status = status;
  drawHead(status);
  drawFeeds(status.feeds);
  drawLatencies(status.latencies);
  drawQuotes(status);
  drawThreads(status.threads);
  drawLetters(status.dead_letters);
  drawDrift(status.drift);
  hub.drawn += 1;
}

function tell(trouble) {
  at("trouble").hidden = trouble === "";
  set(at("trouble"), trouble);
}

async function round() {
  try {
    const answer = await fetch(`/status?symbol=${encodeURIComponent(symbol)}`, { signal: AbortSignal.timeout(ANSWER_MS) });
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const status = await answer.json();
    answeredAt = Date.now();
    draw(status);
    tell([
      status.sight_age_s > 5 ? `The hub answers, but its workers have told nothing for ${span(Math.round(status.sight_age_s))}.` : "",
      status.sink && status.sink.reason ? `The S3 store: ${status.sink.state}, ${status.sink.reason}` : "",
    ].filter(Boolean).join(" "));
  } catch (error) {
    const since = answeredAt ? ` for ${span(Math.round((Date.now() - answeredAt) / 1000))}` : "";
    tell(`No answer from the hub${since}: what is shown is old (${error.message}).`);
  }
}

async function live() {
  for (;;) {
    // Nobody looks at a page in the background: it asks for nothing.
    if (!document.hidden) await round();
    await new Promise((done) => setTimeout(done, PAUSE_MS));
  }
}

at("symbol").addEventListener("change", (event) => {
  symbol = event.target.value;
  round();
});
at("stage").addEventListener("change", (event) => {
  stage = event.target.value;
  if (hub.status) drawLatencies(hub.status.latencies);
});
live();
