// Starts the proxy as its Deployment will, and ends when it answers; runs before the proxy that people use is stopped.
//
// `node -e … -- PORT SECONDS COMMAND…`: where it answers, how long it has for that, and how it is started. What it says
// is the log, whose end Kubernetes shows of a container that failed.
"use strict";

const { spawn } = require("node:child_process");
const http = require("node:http");

const [port, seconds, program, ...words] = process.argv.slice(1);
const proxy = spawn(program, words, { stdio: "inherit" });

function end(status, said) {
  console.log(said);
  proxy.kill("SIGKILL");
  process.exit(status);
}

proxy.on("error", (error) => end(1, `the proxy did not start: ${error.message}`));
proxy.on("exit", (status, signal) => end(1, `the proxy ended with ${signal || status}`));
setTimeout(() => end(1, `the proxy has not answered in ${seconds} s`), seconds * 1000);
setInterval(() => {
  const asked = http.get({ host: "127.0.0.1", port, path: "/_chp_healthz", timeout: 2000 }, (answer) => {
    answer.resume();
    if (answer.statusCode === 200) end(0, "the proxy answers");
  });
  asked.on("timeout", () => asked.destroy());
  asked.on("error", () => {}); // it does not listen yet
}, 250);
