/** `npm run example`: builds the page and serves it. */
import { buildExample, serveExample } from "./build.ts";

await buildExample();
const { origin } = await serveExample(Number(process.env["PORT"] ?? 8080));
console.log(`${origin}  (Ctrl-C ends it)`);
