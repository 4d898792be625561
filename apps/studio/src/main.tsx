// Starts the page. `?api=http://host:8000` names another server than the one that the page came from; the address's hash
// names a page, or holds a look that somebody shares.
import { createClient } from "@everframe/client";
import { createRoot } from "react-dom/client";
import { App } from "./app.tsx";
import { Studio } from "./conductor/studio.ts";
import "./styles.css";

const api = new URLSearchParams(location.search).get("api");
const studio = new Studio(createClient(api === null ? {} : { url: api }));
studio.readLink(location.hash);
studio.open();

const readPage = () => studio.store.update({ page: location.hash === "#models" ? "models" : "studio" });
window.addEventListener("hashchange", () => {
  studio.readLink(location.hash);
  readPage();
});
readPage();

const root = document.getElementById("root");
if (root === null) throw new Error("internal: index.html has no #root");
createRoot(root).render(<App studio={studio} />);
