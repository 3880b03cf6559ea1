/** A web server for localhost: folders under paths, with the headers that let a page use threads of WASM. */
import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, normalize, sep } from "node:path";

const TYPES: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".mjs": "text/javascript", ".css": "text/css", ".json": "application/json", ".wasm": "application/wasm", ".svg": "image/svg+xml", ".md": "text/plain; charset=utf-8",
};

/** A running server. */
export interface Served extends AsyncDisposable {
  /** `http://localhost:PORT`. */
  readonly origin: string;
}

/** Serves each folder under its path ("/" for the root; the longest that fits is taken). Port 0 is any that is free. */
export async function serveFolders(folders: Readonly<Record<string, string>>, port = 0): Promise<Served> {
  const paths = Object.keys(folders).sort((a, b) => b.length - a.length);
  const fileOf = (url: string): string | undefined => {
    const asked = decodeURIComponent(new URL(url, "http://localhost").pathname);
    const path = paths.find((p) => asked.startsWith(p));
    const folder = path === undefined ? undefined : folders[path];
    if (path === undefined || folder === undefined) return undefined;
    const file = join(folder, normalize(`/${asked.slice(path.length)}`));
    const found = asked.endsWith("/") ? join(file, "index.html") : file;
    return (found === folder || found.startsWith(folder.endsWith(sep) ? folder : folder + sep)) && statSync(found, { throwIfNoEntry: false })?.isFile() === true ? found : undefined;
  };
  const server = createServer((request, response) => {
    const file = fileOf(request.url ?? "/");
    // A page whose resources all say so may share memory between threads.
    const headers = { "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Embedder-Policy": "require-corp", "Cache-Control": "no-cache" };
    if (file === undefined) {
      response.writeHead(404, headers).end();
      return;
    }
    response.writeHead(200, { ...headers, "Content-Type": TYPES[extname(file)] ?? "application/octet-stream", "Content-Length": statSync(file).size });
    createReadStream(file).pipe(response);
  });
  await new Promise<void>((resolve) => { server.listen(port, "localhost", resolve); });
  return {
    origin: `http://localhost:${String((server.address() as AddressInfo).port)}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => { server.close(resolve); });
    },
  };
}
