// A page whose way to the server can be cut: media through a relay, HTTP by a fetch that fails as a browser's does.
import type { Page } from "playwright-core";
import type { Relay } from "./relay.ts";

type CuttableWindow = { rewrite: (sdp: string) => Promise<string>; isCut: () => Promise<boolean> };

/** To be called before the page is opened. */
export async function makeCuttable(page: Page, relay: Relay): Promise<void> {
  await page.exposeFunction("rewrite", (sdp: string) => relay.rewrite(sdp));
  await page.exposeFunction("isCut", () => relay.isCut);
  await page.addInitScript(() => {
    const own = window as unknown as CuttableWindow;
    const whole = window.fetch.bind(window);
    // No candidate of the page reaches the server, so that the relay is the only way.
    window.fetch = async (input, init = {}) => {
      if (await own.isCut()) throw new TypeError("the network is cut");
      const path = String(input);
      if (init.method === "PATCH") return new Response(null, { status: 204 });
      if (init.method !== "POST" || !path.endsWith("/webrtc/offer")) return whole(input, init);
      const offer = JSON.parse(String(init.body));
      offer.sdp = offer.sdp.replace(/^a=candidate:.*\r\n/gm, "");
      const response = await whole(input, { ...init, body: JSON.stringify(offer) });
      if (!response.ok) return response;
      const answer = await response.json();
      return new Response(JSON.stringify({ ...answer, sdp: await own.rewrite(answer.sdp) }));
    };
  });
}
