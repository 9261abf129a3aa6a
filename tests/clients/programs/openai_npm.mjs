// The `openai` package for Node.

import OpenAI from "openai";
import { zodResponseFormat, zodTextFormat } from "openai/helpers/zod";
import { z } from "zod";
import {
  ASK_TOOL, AUTO, BASE_URL, CALL_ID, EMBEDDER, HISTORY, KEY, MODEL, PIXEL, QUESTION, SYSTEM,
  TOO_LONG, UNANSWERED, USE_CASE, Wrong, cell, need,
} from "./cells.mjs";

const client = new OpenAI({ baseURL: BASE_URL, apiKey: KEY, maxRetries: 0, timeout: 100_000 });
const Validity = z.object({ unit: z.enum(["seconds", "minutes", "hours"]) });
const tool = {
  type: "function",
  function: {
    name: "find_place",
    description: "Find a place on the map of a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Porto", "Lyon"] } },
      required: ["city"],
      additionalProperties: false,
    },
  },
};

function body(messages, more = {}) {
  const turns = typeof messages === "string" ? [{ role: "user", content: messages }] : messages;
  return { model: MODEL, messages: turns, use_case: USE_CASE, ...more };
}
const ask = (messages, more) => client.chat.completions.create(body(messages, more));

function textOf(reply) {
  need(reply.choices[0].message.content, reply);
  return reply.choices[0].message.content;
}

await cell("chat", async () => textOf(await ask(QUESTION)));

await cell("stream", async () => {
  const pieces = [];
  for await (const part of await ask(QUESTION, { stream: true })) {
    if (part.choices[0]?.delta.content) pieces.push(part.choices[0].delta.content);
  }
  need(pieces.length > 1, pieces);
  return pieces.join("");
});

await cell("usage", async () => {
  const { usage } = await ask(QUESTION);
  need(usage.prompt_tokens && usage.completion_tokens, usage);
  return `${usage.prompt_tokens} + ${usage.completion_tokens}`;
});

await cell("usage streamed", async () => {
  let usage;
  const options = { stream: true, stream_options: { include_usage: true } };
  for await (const part of await ask(QUESTION, options)) usage = part.usage ?? usage;
  need(usage?.completion_tokens, usage);
  return `${usage.prompt_tokens} + ${usage.completion_tokens}`;
});

await cell("system turn", async () => {
  const turns = [{ role: "system", content: SYSTEM }, { role: "user", content: QUESTION }];
  return textOf(await ask(turns));
});

await cell("history", async () => textOf(await ask(HISTORY)));

const format = { response_format: zodResponseFormat(Validity, "validity") };

await cell("structured", async () => {
  const reply = await client.chat.completions.parse(body(QUESTION, format));
  need(reply.choices[0].message.parsed?.unit, reply);
  return JSON.stringify(reply.choices[0].message.parsed);
});

await cell("structured, abstained", async () => {
  const { message } = (await client.chat.completions.parse(body(UNANSWERED, format))).choices[0];
  need(message.refusal && message.parsed == null && message.content == null, message);
  return `refusal: ${message.refusal}`;
});

await cell("structured, abstained, streamed", async () => {
  const parts = client.chat.completions.stream(body(UNANSWERED, format));
  const { message } = (await parts.finalChatCompletion()).choices[0];
  need(message.refusal && message.parsed == null, message);
  return `refusal: ${message.refusal}`;
});

const named = { tools: [tool], tool_choice: { type: "function", function: { name: "find_place" } } };
const required = { tools: [tool], tool_choice: "required" };

await cell("tool, named", async () => {
  const [call] = (await ask(ASK_TOOL, named)).choices[0].message.tool_calls ?? [];
  need(call?.function.name === "find_place", call);
  return `find_place(${call.function.arguments})`;
});

await cell("tool, required", async () => {
  const [call] = (await ask(ASK_TOOL, required)).choices[0].message.tool_calls ?? [];
  need(call?.function.name === "find_place", call);
  return `find_place(${call.function.arguments})`;
});

await cell("tool, required, streamed", async () => {
  const parts = client.chat.completions.stream(body(ASK_TOOL, required));
  const [call] = (await parts.finalChatCompletion()).choices[0].message.tool_calls ?? [];
  need(call?.function.name === "find_place", call);
  return `find_place(${call.function.arguments})`;
});

await cell("tool, required, abstained", async () => {
  const { message } = (await ask(UNANSWERED, required)).choices[0];
  need(message.refusal && !message.tool_calls, message);
  return `refusal: ${message.refusal}`;
});

await cell("tool, auto", async () => {
  throw new Wrong(JSON.stringify(await ask(ASK_TOOL, { tools: [tool] })));
});

await cell("tool results sent back", async () => {
  const called = { name: "find_order", arguments: '{"order": 4711}' };
  const turns = [
    { role: "user", content: "Where is order 4711?" },
    {
      role: "assistant",
      content: null,
      tool_calls: [{ id: CALL_ID, type: "function", function: called }],
    },
    { role: "tool", tool_call_id: CALL_ID, content: "It is on its way." },
  ];
  return textOf(await ask(turns, { model: AUTO }));
});

await cell("embeddings", async () => {
  const { data } = await client.embeddings.create({ model: EMBEDDER, input: ["lamp", "shade"] });
  need(data.length === 2 && data[0].embedding.some((number) => number !== 0), data);
  return `2 of ${data[0].embedding.length} numbers`;
});

const response = (input, more = {}) => ({ model: MODEL, input, use_case: USE_CASE, ...more });
const textFormat = { text: { format: zodTextFormat(Validity, "validity") } };

await cell("responses", async () => {
  const reply = await client.responses.create(response(QUESTION));
  need(reply.output_text && reply.usage.output_tokens, reply);
  return reply.output_text;
});

await cell("responses, streamed", async () => {
  const pieces = [];
  const parts = client.responses.stream(response(QUESTION));
  parts.on("response.output_text.delta", (event) => pieces.push(event.delta));
  const reply = await parts.finalResponse();
  need(pieces.length > 1 && reply.output_text === pieces.join(""), pieces);
  return reply.output_text;
});

await cell("responses, structured", async () => {
  const reply = await client.responses.parse(response(QUESTION, textFormat));
  need(reply.output_parsed?.unit, reply);
  return JSON.stringify(reply.output_parsed);
});

await cell("responses, abstained", async () => {
  const reply = await client.responses.parse(response(UNANSWERED, textFormat));
  const part = reply.output.at(-1).content[0];
  need(reply.output_parsed == null && part.type === "refusal", reply);
  return `refusal: ${part.refusal}`;
});

await cell("citations", async () => {
  const [found] = (await ask(QUESTION)).choices[0].message.annotations ?? [];
  need(found?.url_citation.url.startsWith("http"), found);
  return found.url_citation.title;
});

await cell("disconnect", async () => {
  const parts = await ask(QUESTION, { stream: true });
  for await (const _part of parts) break;
  parts.controller.abort();
  return textOf(await ask(QUESTION));
});

await cell("too long", async () => {
  throw new Wrong(JSON.stringify(await ask(TOO_LONG)));
});

await cell("two choices", async () => {
  throw new Wrong(JSON.stringify(await ask(QUESTION, { n: 2 })));
});

await cell("image", async () => {
  const content = [
    { type: "text", text: QUESTION },
    { type: "image_url", image_url: { url: PIXEL } },
  ];
  throw new Wrong(JSON.stringify(await ask([{ role: "user", content }])));
});
