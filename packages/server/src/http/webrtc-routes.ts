/**
 * Signalling: an offer with its answer, the client's later candidates
 * (trickle ICE, RFC 8838), and the end of a session.
 */
import { type Answer, candidatesRequest, type IceServers, offerRequest, parseRequest } from "@everframe/protocol";
import { Hono } from "hono";
import { parseInitialParameters } from "../sessions/parameters.ts";
import type { AppContext } from "./context.ts";
import { readJson } from "./json-body.ts";

export function webrtcRoutes({ pipelines, sessions, assets, iceServers }: AppContext): Hono {
  return new Hono()
    .get("/api/v1/webrtc/ice-servers", (c) => {
      const answer: IceServers = { iceServers: [...iceServers] };
      return c.json(answer);
    })
    .post("/api/v1/webrtc/offer", async (c) => {
      const offer = parseRequest(offerRequest, await readJson(c.req));
      const initial = parseInitialParameters(offer.initialParameters, (path) => assets.resolve(path));
      const { sessionId, sdp } = await sessions.open(pipelines.pipeline, offer.sdp, initial);
      const answer: Answer = { sdp, type: "answer", sessionId };
      return c.json(answer);
    })
    .patch("/api/v1/webrtc/offer/:sessionId", async (c) => {
      const { candidates } = parseRequest(candidatesRequest, await readJson(c.req));
      await sessions.get(c.req.param("sessionId")).addCandidates(candidates);
      return c.body(null, 204);
    })
    .delete("/api/v1/webrtc/offer/:sessionId", (c) => {
      // A leaving page also closes its data channel, and either may come first: the wish is granted both times.
      void sessions.find(c.req.param("sessionId"))?.close("deleted");
      return c.body(null, 204);
    });
}
