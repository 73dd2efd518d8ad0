// Sends one prepared request over and over on raw sockets and measures the answers. A process of its own, so that the subject's core stays its own.
import { connect } from "node:net";

const options = JSON.parse(process.argv[2]);
const {
  port,
  connections,
  seconds,
  warmupSeconds = 0.5,
  headers = {},
  path,
  method = "POST",
  body = "",
  streamed = false,
  ratePerSecond = 0,
  idsDiffer = false,
} = options;
const head = Object.entries({ host: `127.0.0.1:${port}`, "content-type": "application/json", ...headers })
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");
/** JSON-RPC: what is under way in one session has ids of its own, or only the last of them is answered. */
function requestOf(connection) {
  const text = idsDiffer ? body.replace('"id":1,', `"id":${1_000 + connection},`) : body;
  return Buffer.from(`${method} ${path} HTTP/1.1\r\n${head}content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
}

const latencies = [];
const firstBytes = [];
let answers = 0;
let chunks = 0;
let errors = 0;
let recording = false;
let over = false;

class Connection {
  constructor(index) {
    this.request = requestOf(index);
    this.buffer = Buffer.alloc(0);
    this.sentAt = 0;
    this.firstAt = 0;
    this.socket = connect(port, "127.0.0.1", () => this.send());
    this.socket.setNoDelay(true);
    this.socket.on("data", (data) => this.receive(data));
    this.socket.on("error", () => this.broken());
    this.socket.on("close", () => this.broken());
  }
  broken() {
    if (over) return;
    if (recording) errors++;
    over = true;
    finish();
  }
  send() {
    this.sentAt = performance.now();
    this.firstAt = 0;
    this.socket.write(this.request);
  }
  receive(data) {
    if (this.firstAt === 0) this.firstAt = performance.now();
    this.buffer = this.buffer.length === 0 ? data : Buffer.concat([this.buffer, data]);
    const headEnd = this.buffer.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const headText = this.buffer.toString("latin1", 0, headEnd).toLowerCase();
    const length = /content-length: (\d+)/.exec(headText);
    if (length !== null) {
      if (this.buffer.length < headEnd + 4 + Number(length[1])) return;
    } else if (this.buffer.length < headEnd + 9 || this.buffer.toString("latin1", this.buffer.length - 5) !== "0\r\n\r\n") return;
    this.answered(headText, headEnd);
  }
  answered(headText, headEnd) {
    if (recording) {
      answers++;
      if (!headText.startsWith("http/1.1 2")) errors++;
      latencies.push(performance.now() - this.sentAt);
      if (streamed) {
        firstBytes.push(this.firstAt - this.sentAt);
        chunks += count(this.buffer, "data: ", headEnd);
      }
    }
    this.buffer = Buffer.alloc(0);
    if (over) return;
    if (ratePerSecond > 0) {
      const waitMs = Math.max(0, (connections / ratePerSecond) * 1000 - (performance.now() - this.sentAt));
      setTimeout(() => this.send(), waitMs);
    } else this.send();
  }
}

function count(buffer, text, from) {
  let found = 0;
  for (let at = buffer.indexOf(text, from); at >= 0; at = buffer.indexOf(text, at + text.length)) found++;
  return found;
}
function percentile(values, p) {
  if (values.length === 0) return null;
  const sorted = values.toSorted((a, b) => a - b);
  return Number(sorted[Math.min(sorted.length - 1, Math.floor(p * sorted.length))].toFixed(3));
}

let startedAt = 0;
const all = [];
function finish() {
  const elapsed = (performance.now() - startedAt) / 1000;
  process.stdout.write(
    JSON.stringify({
      perSecond: Math.round(answers / elapsed),
      p50Ms: percentile(latencies, 0.5),
      p99Ms: percentile(latencies, 0.99),
      ...(streamed
        ? {
            chunksPerSecond: Math.round(chunks / elapsed),
            firstByteP50Ms: percentile(firstBytes, 0.5),
            firstByteP99Ms: percentile(firstBytes, 0.99),
            chunks,
          }
        : {}),
      answers,
      errors,
      startedAtMs: startedAt,
    }),
    () => process.exit(0),
  );
}
for (let i = 0; i < connections; i++) all.push(new Connection(i));
setTimeout(() => {
  recording = true;
  startedAt = performance.now();
  setTimeout(() => {
    over = true;
    finish();
  }, seconds * 1000);
}, warmupSeconds * 1000);
