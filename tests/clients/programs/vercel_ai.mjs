// Vercel's `ai` with `@ai-sdk/openai-compatible`.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { embedMany, generateObject, generateText, streamObject, streamText, tool } from "ai";
import { z } from "zod";
import {
  ASK_TOOL, AUTO, BASE_URL, CALL_ID, EMBEDDER, HISTORY, KEY, MODEL, PIXEL, QUESTION, SYSTEM,
  TOO_LONG, UNANSWERED, USE_CASE, Wrong, cell, need, notOffered,
} from "./cells.mjs";

const provider = createOpenAICompatible({
  name: "fingerpost",
  baseURL: BASE_URL,
  apiKey: KEY,
  includeUsage: true,
  supportsStructuredOutputs: true,
});
const ours = (more = {}) => ({
  model: provider(MODEL),
  maxRetries: 0,
  providerOptions: { fingerpost: { use_case: USE_CASE, ...more } },
});
const schema = z.object({ unit: z.enum(["seconds", "minutes", "hours"]) });
const tools = {
  find_place: tool({
    description: "Find a place on the map of a city.",
    inputSchema: z.object({ city: z.enum(["Porto", "Lyon"]) }),
  }),
};

async function pieces(options) {
  const read = [];
  const failed = [];
  const result = streamText({ ...ours(), ...options, onError: ({ error }) => failed.push(error) });
  for await (const piece of result.textStream) read.push(piece);
  if (failed.length) throw failed[0];
  return [read, await result.usage];
}

function some(text) {
  need(text, text);
  return text;
}

await cell("chat", async () => some((await generateText({ ...ours(), prompt: QUESTION })).text));

await cell("stream", async () => {
  const [read] = await pieces({ prompt: QUESTION });
  need(read.length > 1, read);
  return read.join("");
});

await cell("usage", async () => {
  const { usage } = await generateText({ ...ours(), prompt: QUESTION });
  need(usage.inputTokens && usage.outputTokens, usage);
  return `${usage.inputTokens} + ${usage.outputTokens}`;
});

await cell("usage streamed", async () => {
  const [, usage] = await pieces({ prompt: QUESTION });
  need(usage.inputTokens && usage.outputTokens, usage);
  return `${usage.inputTokens} + ${usage.outputTokens}`;
});

await cell("system turn", async () =>
  some((await generateText({ ...ours(), system: SYSTEM, prompt: QUESTION })).text));

await cell("history", async () =>
  some((await generateText({ ...ours(), messages: HISTORY })).text));

await cell("structured", async () => {
  const { object } = await generateObject({ ...ours(), schema, prompt: QUESTION });
  need(object.unit, object);
  return JSON.stringify(object);
});

await cell("structured, abstained", async () => {
  const { object } = await generateObject({ ...ours(), schema, prompt: UNANSWERED });
  throw new Wrong(JSON.stringify(object));
});

await cell("structured, abstained, streamed", async () => {
  const options = { ...ours(), schema, prompt: UNANSWERED, onError: () => {} };
  throw new Wrong(JSON.stringify(await streamObject(options).object));
});

async function callOf(prompt, toolChoice) {
  const { toolCalls, text } = await generateText({ ...ours(), tools, toolChoice, prompt });
  need(toolCalls[0]?.toolName === "find_place", { toolCalls, text });
  return `find_place(${JSON.stringify(toolCalls[0].input)})`;
}

await cell("tool, named", () => callOf(ASK_TOOL, { type: "tool", toolName: "find_place" }));
await cell("tool, required", () => callOf(ASK_TOOL, "required"));

await cell("tool, required, abstained", async () => {
  const options = { ...ours(), tools, toolChoice: "required", prompt: UNANSWERED };
  const { toolCalls, text } = await generateText(options);
  need(!toolCalls.length && text, { toolCalls, text });
  return `text, no call: ${text}`;
});

await cell("tool, auto", () => callOf(ASK_TOOL, "auto"));

await cell("tool results sent back", async () => {
  const named = { toolCallId: CALL_ID, toolName: "find_order" };
  const messages = [
    { role: "user", content: "Where is order 4711?" },
    { role: "assistant", content: [{ type: "tool-call", ...named, input: { order: 4711 } }] },
    {
      role: "tool",
      content: [
        { type: "tool-result", ...named, output: { type: "text", value: "It is on its way." } },
      ],
    },
  ];
  return some((await generateText({ ...ours(), model: provider(AUTO), messages })).text);
});

await cell("embeddings", async () => {
  const model = provider.embeddingModel(EMBEDDER);
  const { embeddings } = await embedMany({ model, values: ["lamp", "shade"], maxRetries: 0 });
  need(embeddings.length === 2 && embeddings[0].length > 100, embeddings);
  return `2 of ${embeddings[0].length} numbers`;
});

notOffered("responses", "openai-compatible asks chat completions only");

await cell("citations", async () => {
  const { sources, response } = await generateText({ ...ours(), prompt: QUESTION });
  if (sources.length) return sources[0].url;
  const [found] = response.body?.choices?.[0]?.message?.annotations ?? [];
  need(found?.url_citation.url.startsWith("http"), response.body);
  return `in response.body: ${found.url_citation.title}`;
});

await cell("disconnect", async () => {
  const stop = new AbortController();
  const options = { ...ours(), prompt: QUESTION, abortSignal: stop.signal, onError: () => {} };
  for await (const _piece of streamText(options).textStream) {
    stop.abort();
    break;
  }
  return some((await generateText({ ...ours(), prompt: QUESTION })).text);
});

await cell("too long", async () => {
  throw new Wrong((await generateText({ ...ours(), prompt: TOO_LONG })).text);
});

await cell("two choices", async () => {
  throw new Wrong((await generateText({ ...ours({ n: 2 }), prompt: QUESTION })).text);
});

await cell("image", async () => {
  const content = [
    { type: "text", text: QUESTION },
    { type: "image", image: PIXEL },
  ];
  throw new Wrong((await generateText({ ...ours(), messages: [{ role: "user", content }] })).text);
});
