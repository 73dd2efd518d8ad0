// An instant vendor: prepared bytes over raw sockets, so that it costs as little as it can. Chat completions and Anthropic's messages (1.4 kB, or 100 chunks), and an
// MCP echo server.
import { createServer } from "node:net";

const text = "The quick brown fox jumps over the lazy dog. ".repeat(22);
const answer = JSON.stringify({
  id: "chatcmpl-1",
  object: "chat.completion",
  created: 1760000000,
  model: "mock-1",
  choices: [
    { index: 0, message: { role: "assistant", content: text, refusal: null, annotations: [] }, logprobs: null, finish_reason: "stop" },
  ],
  usage: {
    prompt_tokens: 120,
    completion_tokens: 220,
    total_tokens: 340,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0, accepted_prediction_tokens: 0, rejected_prediction_tokens: 0 },
  },
  service_tier: "default",
  system_fingerprint: "fp_1",
});
const whole = Buffer.from(
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(answer)}\r\n\r\n${answer}`,
);

const piece = (delta, finish, extra = {}) =>
  `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1760000000, model: "mock-1", system_fingerprint: "fp_1", choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }], ...extra })}\n\n`;
const chunked = (body) => `${Buffer.byteLength(body).toString(16)}\r\n${body}\r\n`;
const streamHead = Buffer.from("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n");
const frames = [];
for (let i = 0; i < 100; i++)
  frames.push(Buffer.from(chunked(piece(i === 0 ? { role: "assistant", content: "" } : { content: ` token${i}` }, null))));
const usageFrame = `data: ${JSON.stringify({ id: "chatcmpl-1", object: "chat.completion.chunk", created: 1760000000, model: "mock-1", choices: [], usage: { prompt_tokens: 120, completion_tokens: 100, total_tokens: 220 } })}\n\n`;
const tail = Buffer.from(`${chunked(piece({}, "stop"))}${chunked(usageFrame)}${chunked("data: [DONE]\n\n")}0\r\n\r\n`);

const chat = { whole, frames, tail };
const messages = prepareMessages();
function prepareMessages() {
  const body = JSON.stringify({
    id: "msg_1",
    type: "message",
    role: "assistant",
    model: "mock-1",
    content: [{ type: "text", text }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage: { input_tokens: 120, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 220, service_tier: "standard" },
  });
  const event = (data) => chunked(`event: ${data.type}\ndata: ${JSON.stringify(data)}\n\n`);
  const start = { id: "msg_1", type: "message", role: "assistant", model: "mock-1", content: [], stop_reason: null, stop_sequence: null };
  const first =
    event({ type: "message_start", message: { ...start, usage: { input_tokens: 120, output_tokens: 1 } } }) +
    event({ type: "content_block_start", index: 0, content_block: { type: "text", text: "" } });
  const deltas = Array.from({ length: 100 }, (_, i) =>
    Buffer.from(event({ type: "content_block_delta", index: 0, delta: { type: "text_delta", text: ` token${i}` } })),
  );
  const last =
    event({ type: "content_block_stop", index: 0 }) +
    event({ type: "message_delta", delta: { stop_reason: "end_turn", stop_sequence: null }, usage: { output_tokens: 100 } }) +
    event({ type: "message_stop" });
  return {
    whole: Buffer.from(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`),
    frames: [Buffer.concat([Buffer.from(first), deltas[0]]), ...deltas.slice(1)],
    tail: Buffer.from(`${last}0\r\n\r\n`),
  };
}

const tools = Array.from({ length: Number(process.env.TOOLS ?? 1000) }, (_, i) => ({
  name: i === 0 ? "echo" : `tool_${i}`,
  description: `Does the thing number ${i} with care, and says what it did.`,
  inputSchema: {
    type: "object",
    properties: { text: { type: "string", description: "what to say" }, count: { type: "integer" } },
    required: ["text"],
  },
}));

function mcpAnswer(message) {
  switch (message.method) {
    case "initialize":
      return { protocolVersion: message.params.protocolVersion, capabilities: { tools: {} }, serverInfo: { name: "mock", version: "1" } };
    case "tools/list":
      return { tools };
    case "tools/call":
      return { content: [{ type: "text", text: String(message.params.arguments.text) }] };
    default:
      return {};
  }
}

function serve(socket) {
  let buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on("error", () => socket.destroy());
  socket.on("data", (data) => {
    buffer = buffer.length === 0 ? data : Buffer.concat([buffer, data]);
    for (;;) {
      const headEnd = buffer.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const head = buffer.toString("latin1", 0, headEnd).toLowerCase();
      const length = Number(/content-length: (\d+)/.exec(head)?.[1] ?? 0);
      let body;
      if (head.includes("transfer-encoding: chunked")) {
        const end = buffer.indexOf("0\r\n\r\n", headEnd + 4);
        if (end < 0) return;
        body = dechunk(buffer.toString("utf8", headEnd + 4, end));
        buffer = buffer.subarray(end + 5);
      } else {
        if (buffer.length < headEnd + 4 + length) return;
        body = buffer.toString("utf8", headEnd + 4, headEnd + 4 + length);
        buffer = buffer.subarray(headEnd + 4 + length);
      }
      respond(socket, head, body);
    }
  });
}
function dechunk(text) {
  let out = "";
  for (let at = 0; at < text.length; ) {
    const line = text.indexOf("\r\n", at);
    const size = Number.parseInt(text.slice(at, line), 16);
    out += text.slice(line + 2, line + 2 + size);
    at = line + 4 + size;
  }
  return out;
}

function respond(socket, head, body) {
  if (head.startsWith("post /mcp")) {
    const message = JSON.parse(body);
    if (message.id === undefined) {
      socket.write("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const text = JSON.stringify({ jsonrpc: "2.0", id: message.id, result: mcpAnswer(message) });
    socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
    return;
  }
  if (!head.startsWith("post ")) {
    socket.write("HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n");
    return;
  }
  const spoken = head.startsWith("post /v1/messages") ? messages : chat;
  if (!/"stream":\s*true/.test(body)) {
    socket.write(spoken.whole);
    return;
  }
  socket.write(streamHead);
  if (/hold open/.test(body)) {
    socket.write(spoken.frames[0]);
    return;
  }
  let next = 0;
  // One frame a turn of the loop, so that frames arrive one by one as from a model.
  const step = () => {
    if (socket.destroyed) return;
    if (next < spoken.frames.length) {
      socket.write(spoken.frames[next++]);
      setImmediate(step);
    } else socket.write(spoken.tail);
  };
  step();
}

const server = createServer(serve).listen(0, "127.0.0.1", () => console.log(JSON.stringify({ port: server.address().port })));
