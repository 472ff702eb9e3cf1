// Before anything is drawn, so that nothing flashes.
"use strict";
try {
  const theme = localStorage.getItem("tdshm.theme");
  if (theme === "dark" || theme === "light") document.documentElement.dataset.theme = theme;
} catch {
  // Somebody who keeps no storage has the system's theme.
}
