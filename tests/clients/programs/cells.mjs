// What every program asks, and how it says what its client saw: `cells.py` for Node.

export const [URL = "http://127.0.0.1:8080", USE_CASE = "demo", EMBEDDER = ""] = process.argv.slice(2);
export const BASE_URL = `${URL}/v1`;
export const KEY = "not-checked-on-loopback";
export const MODEL = "rag";
export const AUTO = "auto";
export const QUESTION = "How long is the password link valid?";
export const UNANSWERED = "Who won the football World Cup of 1998?";
export const ASK_TOOL = "Where is the collection counter?";
export const SYSTEM = "Answer in one short sentence.";
export const TOO_LONG = "A lamp stood beside the window and it was blue. ".repeat(4000) + QUESTION;
export const HISTORY = [
  { role: "user", content: "I forgot my password." },
  { role: "assistant", content: "Ask for a link on the page of your account." },
  { role: "user", content: QUESTION },
];
export const PIXEL =
  "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";
export const CALL_ID = "call_000000000000000000000001";
const SECONDS_A_CELL = 120;

export class Wrong extends Error {}

export function need(claim, seen) {
  if (!claim) throw new Wrong(JSON.stringify(seen));
}

export async function cell(operation, asked) {
  let line;
  let timer;
  const late = new Promise((_, reject) => {
    const fail = () => reject(new Wrong(`nothing came within ${SECONDS_A_CELL} s`));
    timer = setTimeout(fail, SECONDS_A_CELL * 1000);
  });
  try {
    line = { state: "answer", seen: String(await Promise.race([asked(), late])) };
  } catch (error) {
    const state = error instanceof Wrong ? "wrong" : "error";
    line = { state, seen: told(error), error: error.name };
  } finally {
    clearTimeout(timer);
  }
  console.log(JSON.stringify({ operation, ...line }));
}

export function notOffered(operation, why) {
  console.log(JSON.stringify({ operation, state: "not_offered", seen: why }));
}

function told(error) {
  const words = [];
  for (let seen = error; seen && words.length < 4; seen = seen.cause) {
    words.push(`${seen.name}: ${seen.message} ${seen.responseBody ?? ""} ${seen.text ?? ""}`.trim());
  }
  return words.join(" < ").replace(/\s+/g, " ");
}
