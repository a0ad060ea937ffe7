// A web server without dependencies: / greets, /env shows the settings it runs with.
const http = require("node:http");

const version = "1";
const secret = /KEY|TOKEN|SECRET|PASSWORD/i;

const server = http.createServer((request, response) => {
  if (request.url === "/env") {
    const settings = Object.entries(process.env).filter(([name]) => !secret.test(name)).sort();
    response.setHeader("Content-Type", "application/json; charset=utf-8");
    response.end(JSON.stringify(Object.fromEntries(settings), null, 2));
  } else {
    response.setHeader("Content-Type", "text/plain; charset=utf-8");
    response.end(`${process.env.GREETING} ${process.version}, version ${version}\n`);
  }
});

server.listen(process.env.PORT, process.env.BIND_ADDRESS);
process.on("SIGTERM", () => server.close(() => process.exit(0)));
