/** The whole server with a token, and without one where others can reach it. */
import { afterEach, expect, it } from "vitest";
import { Rig } from "../testing/rig.ts";
import { TestClient } from "../testing/test-client.ts";

const TOKEN = "0123456789abcdef0123456789abcdef";
let rig: Rig;
afterEach(() => rig.server.close());

it("[SEC5][SEC6] streams to those who have the token, who may hand a session to those who have not", async () => {
  rig = await Rig.start({ token: TOKEN });
  const askWith =
    (token: string) =>
    (path: string, init: RequestInit = {}) =>
      rig.server.app.request(path, { ...init, headers: { Authorization: `Bearer ${token}` } });
  const load = { method: "POST", body: JSON.stringify({ pipeline_id: "passthrough" }) };
  expect((await rig.ask("/api/v1/pipeline/load", load)).status).toBe(401);
  expect((await askWith(TOKEN)("/api/v1/pipeline/load", load)).status).toBe(200);
  await expect(TestClient.connect({ ask: rig.ask })).rejects.toThrow("unauthorized");

  let sessionToken = "";
  const client = await TestClient.connect({
    ask: async (path, init) => {
      // The offer with the server's token, everything after it with the session's.
      const answer = await askWith(sessionToken || TOKEN)(path, init);
      if (sessionToken === "") ({ sessionToken } = (await answer.clone().json()) as { sessionToken: string });
      return answer;
    },
  });
  await client.receive(5);
  const ask = askWith(sessionToken);
  expect((await ask(`/api/v1/sessions/${client.sessionId}`)).status).toBe(200);
  expect((await ask("/api/v1/sessions")).status).toBe(403);
  expect((await ask(`/api/v1/webrtc/offer/${client.sessionId}`, { method: "DELETE" })).status).toBe(204);
  client.close();
});

it("[SEC11] says so when others can reach it without a token", async () => {
  rig = await Rig.start({ host: "0.0.0.0", port: 0 });
  const { port } = await rig.server.start();
  expect(rig.logLines.join("")).toMatch(/WARN anyone who reaches this address.*give it a token/);
  const health = await fetch(`http://127.0.0.1:${port}/health`);
  expect(health.headers.get("access-control-allow-origin")).toBeNull();
  await rig.server.close();
  for (const options of [{ token: TOKEN, host: "0.0.0.0" }, {}]) {
    rig = await Rig.start({ ...options, port: 0 });
    await rig.server.start();
    expect(rig.logLines.join("")).not.toContain("anyone");
    await rig.server.close();
  }
});
