// A client in Node with the `ws` package alone: every message of the wire, as the original Semantest clients send them.
// usage: node node_client.mjs ws://127.0.0.1:PORT/ TOKEN; prints one line of JSON with what came back.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";

const { WebSocket } = createRequire(`${process.cwd()}/`)("ws");
const [url, token] = process.argv.slice(2);

class Client {
  constructor(options = {}) {
    this.socket = new WebSocket(url, options);
    this.pending = new Map();
    this.answers = [];
    this.events = [];
    this.errors = [];
    this.waiting = [];
    this.socket.on("message", (data) => this.take(JSON.parse(data)));
  }

  opened() {
    return new Promise((resolve, reject) => {
      this.socket.on("open", resolve);
      this.socket.on("error", reject);
    });
  }

  take(message) {
    if (message.type === "response") {
      const { resolve, reject } = this.pending.get(message.requestId) ?? {};
      if (message.success) resolve?.(message.payload);
      else reject?.(Object.assign(new Error(message.error), { code: message.payload.code }));
    } else if (message.type === "event") this.events.push(message.payload);
    else if (message.type === "error") this.errors.push(message.payload);
    else this.answers.push(message);
    this.waiting = this.waiting.filter(({ found, resolve }) => !(found() && (resolve(found()), true)));
  }

  until(found) {
    return found() ? Promise.resolve(found()) : new Promise((resolve) => this.waiting.push({ found, resolve }));
  }

  say(type, payload, more = {}) {
    this.socket.send(JSON.stringify({ id: randomUUID(), type, timestamp: Date.now(), payload, ...more }));
  }

  event(type, payload) {
    const event = { id: randomUUID(), type, timestamp: Date.now(), payload, metadata: { source: "node" } };
    this.say("event", event);
  }

  request(method, payload) {
    const id = randomUUID();
    const answer = new Promise((resolve, reject) => this.pending.set(id, { resolve, reject }));
    this.socket.send(JSON.stringify({ id, type: "request", timestamp: Date.now(), method, payload }));
    return answer;
  }

  async command(type, payload, answer) {
    this.answers = this.answers.filter((message) => message.type !== answer);
    this.say(type, payload);
    return (await this.until(() => this.answers.find((message) => message.type === answer))).payload;
  }
}

const told = {};
const client = new Client();
const watcher = new Client();
await Promise.all([client.opened(), watcher.opened()]);
told.connected = (await client.until(() => client.events.find(({ type }) => type === "system.connected"))).payload;
watcher.say("subscribe", { eventTypes: ["test.*", "run/end"] });
await watcher.request("echo", 1);

told.info = await client.request("server.info");
told.health = await client.request("server.health");
told.client = await client.request("client.info");
told.echo = await client.request("echo", { a: [1, "ü"] });
told.unknown = await client.request("fly").catch(({ message, code }) => ({ message, code }));
client.say("ping", { n: 1 });
told.pong = (await client.until(() => client.answers.find(({ type }) => type === "pong"))).payload;
client.say("pong", {});

const runId = "node-run";
told.started = await client.command("startTestRun", { runId, name: "From Node", browsers: ["firefox"] }, "testRunStarted");
client.event("test/suite/start", { suiteId: "s1", suiteName: "Login", totalTests: 2 });
client.event("test/start", { testId: "t1", testName: "logs in", suiteId: "s1" });
client.event("test/log", { testId: "t1", level: "info", message: "typing" });
client.event("test/assertion", { testId: "t1", type: "pass", message: "is there" });
client.event("test/screenshot", { testId: "t1", name: "page", path: "page.png" });
client.event("test/end", { testId: "t1", status: "passed", duration: 12 });
client.event("test/start", { testId: "t2", testName: "logs out", suiteId: "s1" });
client.event("test/end", { testId: "t2", status: "failed", duration: 7, error: { message: "no", stack: "at x" } });
client.event("test/suite/end", { suiteId: "s1" });
client.event("custom/anything", { at: 1 });
client.event("test/end", { testId: "t2" });
told.refused = await client.until(() => client.errors.find(({ code }) => code === "VALIDATION_ERROR"));

told.active = await client.command("getActiveRuns", undefined, "activeRuns");
told.status = await client.command("getRunStatus", { runId }, "runStatus");
told.ended = await client.command("endTestRun", { runId }, "testRunEnded");
told.results = await client.command("getTestResultsByRun", { runId }, "testResults");
told.statistics = await client.command("getStatistics", {}, "statistics");
told.security = await client.command("getSecurityMetrics", {}, "securityMetrics");
const range = { startTime: Date.now() - 60_000, endTime: Date.now() + 60_000 };
told.events = await client.command("getEventsByTimeRange", range, "events");
told.valid = await client.command("validateEvent", { id: "1", type: "x", timestamp: Date.now() }, "validationResult");
told.invalid = await client.command("validateEvent", {}, "validationResult");
await watcher.until(() => watcher.events.find(({ type }) => type === "run/end"));
told.watched = watcher.events.map(({ type }) => type);
watcher.say("unsubscribe", { eventTypes: ["test.*"] });

for (const [name, payload] of [["cancelTestRun", { runId }], ["replayEvents", range], ["updatePolicy", {}]])
  told[`anonymous ${name}`] = await client.request(name, payload).catch(({ code }) => code);

const owner = new Client({ headers: { Authorization: `Bearer ${token}` } });
await owner.opened();
told.replayStarted = await owner.command("replayEvents", range, "replayStarted");
told.replayEnded = (await owner.until(() => owner.answers.find(({ type }) => type === "replayEnded"))).payload;
told.policy = await owner.command("updatePolicy", { maxEventSize: 4096 }, "policy");
await owner.command("startTestRun", { runId: "to-cancel" }, "testRunStarted");
told.cancelled = await owner.command("cancelTestRun", { runId: "to-cancel", reason: "enough" }, "testRunCancelled");

console.log(JSON.stringify(told));
for (const { socket } of [client, watcher, owner]) socket.close(1000, "Client disconnect");
