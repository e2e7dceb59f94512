// Error pages for requests that the proxy cannot pass on: the hub's own, or where the hub is away as well, one that
// says so. The proxy has two bare words for that, "Service Unavailable".
//
// `node -e … -- PORT ADDRESS`: the port of the pod that the proxy asks (its --error-target), and where the hub has pages
// of errors. The proxy asks for /STATUS?url=…, and gives people type and text of the answer with that status.
"use strict";

const http = require("node:http");

const [port, address] = process.argv.slice(1);
const PATIENCE_MS = 5000; // a node that is gone answers nothing
const AT_ONCE = 100; // a flood must not cost this container its memory: without it, the proxy's pod would not be ready
const LONGEST_HEADER = 65536; // the proxy encodes the address that was asked for once more
const AWAY = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Back in a moment</title>
<body style="font: 1.1em sans-serif; margin: 4em auto; max-width: 36em; padding: 0 1em">
<main>
<h1>Back in a moment</h1>
<p>The hub does not answer: most often it is being restarted. What you have saved is safe, and what runs on your server
keeps running. Wait a minute, then <a href="">try again</a>. If this stays, contact an administrator.</p>
</main>
</body>
</html>
`;

let asking = 0;

async function pageOf(path) {
  if (asking >= AT_ONCE) return AWAY;
  asking += 1;
  try {
    const answer = await fetch(address + path, { signal: AbortSignal.timeout(PATIENCE_MS), redirect: "error" });
    if (answer.ok) return await answer.text();
    console.log(`asked for ${path.split("?")[0]}, the hub answers ${answer.status}`);
  } catch (error) {
    console.log(`asked for ${path.split("?")[0]}: ${error.cause?.message || error.message}`);
  } finally {
    asking -= 1;
  }
  return AWAY;
}

http
  .createServer({ maxHeaderSize: LONGEST_HEADER }, async (request, response) => {
    const page = await pageOf(request.url);
    response.writeHead(200, { "Content-Type": "text/html; charset=utf-8" }).end(page);
  })
  .listen(port, "127.0.0.1");
process.on("SIGTERM", () => process.exit(0)); // the first process of a container has no default for it
