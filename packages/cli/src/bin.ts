// Imports nothing before the version is known to do: an old Node would fail inside a dependency, with a stack trace that says nothing.
const needed = [20, 19] as const;
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);

if (major < needed[0] || (major === needed[0] && minor < needed[1])) {
  console.error(`✖ Sallyport needs Node ${needed.join(".")} or newer; this is ${process.versions.node} (${process.execPath}).`);
  console.error("  → Install Node 22 or 24 from https://nodejs.org, or with your version manager.");
  process.exitCode = 1;
} else {
  // Whoever read the output may be gone (`| head`): that ends no gateway.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", () => undefined);
  try {
    const { main } = await import("./main.js");
    process.exitCode = await main(process.argv.slice(2));
  } catch (error) {
    // `main` reports its own errors; what arrives here kept it from being loaded.
    console.error(`✖ Sallyport could not be loaded: ${error instanceof Error ? error.message : String(error)}`);
    console.error("  → Its installation is not complete: install it again (npm install).");
    process.exitCode = 1;
  }
}
