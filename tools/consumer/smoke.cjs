// Run by check-packages.mjs where the packed tarballs are installed, under each Node version: every entry loads both ways, and a gateway answers.
const assert = require("node:assert/strict");

async function main() {
  for (const entry of process.argv.slice(2)) {
    const required = require(entry);
    const imported = await import(entry);
    assert.deepEqual(Object.keys(required).filter(isExport).sort(), Object.keys(imported).filter(isExport).sort(), entry);
    assert.ok(Object.keys(imported).length > 0, `${entry} exports nothing`);
  }
  const { Gateway } = require("@sallyport/core");
  const gateway = new Gateway({});
  const { text } = await gateway.run({ model: "demo/echo", input: "packed and unpacked" });
  assert.equal(text, "packed and unpacked");
  await gateway.close();
}

function isExport(name) {
  return name !== "__esModule" && name !== "module.exports";
}

main().then(
  () => console.log(`Node ${process.version}: ${process.argv.length - 2} entries, both ways, and a run`),
  (error) => {
    console.error(error);
    process.exitCode = 1;
  },
);
