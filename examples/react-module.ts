// React as one module for react.html, which has no bundler; the server gives it out as /react.js.
export { createElement, useCallback, useEffect, useRef, useState } from "react";
export { createRoot } from "react-dom/client";
