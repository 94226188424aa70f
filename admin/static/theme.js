// Runs before the first paint, hence a script of its own outside the bundle.
(() => {
  try {
    const theme = localStorage.getItem("vmx.theme");
    if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be blocked; the system's theme it is.
  }
})();
