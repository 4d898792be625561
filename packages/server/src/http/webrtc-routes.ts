/**
 * Signalling: an offer with its answer, the client's later candidates
 * (trickle ICE, RFC 8838), and the end of a session.
 */
import { type Answer, candidatesRequest, iceServers, offerAnswer, offerRequest } from "@everframe/protocol";
import { parseInitialParameters } from "../sessions/parameters.ts";
import type { AppContext } from "./context.ts";
import type { Endpoints } from "./endpoints.ts";

export function addWebrtcRoutes(endpoints: Endpoints, context: AppContext): void {
  const { pipelines, sessions, assets, ice } = context;
  const { access } = context.protection;
  const tag = "WebRTC";
  endpoints.add(
    {
      method: "get",
      path: "/api/v1/webrtc/ice-servers",
      tag,
      summary: "Names the STUN and TURN servers for the client's RTCPeerConnection.",
      answers: { 200: { text: "As RTCPeerConnection takes them.", body: { schema: iceServers } } },
    },
    async () => ({ iceServers: await ice.servers() }),
  );
  endpoints.add(
    {
      method: "post",
      path: "/api/v1/webrtc/offer",
      tag,
      summary: "Opens a session: takes the client's offer and answers it.",
      description:
        "The offer needs one video section and VP8; the client creates the data channel. With the `sessionId` of a session that " +
        "is there, the session goes on: with the same DTLS fingerprint as an ICE restart, else over the new connection. " +
        "Over capacity the answer has `capacity`, `queue_position` and a `ticket` to come back with.",
      body: offerRequest,
      answers: { 200: { text: "The answer, with all of the server's candidates.", body: { schema: offerAnswer } } },
      errors: ["pipeline_not_loaded", "invalid_sdp", "no_common_codec", "session_not_found", "too_many_sessions"],
    },
    async ({ body: offer, c }): Promise<Answer> => {
      access.checkSession(c, offer.sessionId);
      const initial = parseInitialParameters(offer.initialParameters, (path) => assets.resolve(path));
      const { sessionId, sdp } =
        offer.sessionId == null
          ? await sessions.open(pipelines.pipeline, offer.sdp, initial, offer.ticket ?? undefined)
          : await sessions.resume(offer.sessionId, offer.sdp, offer.initialParameters);
      const sessionToken = access.sessionToken(sessionId);
      return { sdp, type: "answer", sessionId, ...(sessionToken === undefined ? {} : { sessionToken }) };
    },
  );
  endpoints.add(
    {
      method: "patch",
      path: "/api/v1/webrtc/offer/:sessionId",
      tag,
      summary: "Adds candidates that the client found after its offer.",
      description:
        "Any spelling is taken, and an empty candidate means the end; one that cannot be used does not block the rest.",
      body: candidatesRequest,
      answers: { 204: { text: "Taken.", body: "empty" } },
      errors: ["session_not_found"],
    },
    async ({ body, param }) => {
      await sessions.get(param("sessionId")).addCandidates(body.candidates);
      return undefined;
    },
  );
  endpoints.add(
    {
      method: "delete",
      path: "/api/v1/webrtc/offer/:sessionId",
      tag,
      summary: "Ends a session; one that has ended already is ended, too.",
      answers: { 204: { text: "Ended.", body: "empty" } },
    },
    async ({ param }) => {
      await sessions.find(param("sessionId"))?.delete();
      return undefined;
    },
  );
}
