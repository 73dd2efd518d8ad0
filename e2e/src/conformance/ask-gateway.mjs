// What the suite starts as a client: hands the scenario to the test that started the suite, whose gateway it is about, and ends as that says.
const [control, url] = process.argv.slice(2);
const { MCP_CONFORMANCE_SCENARIO: scenario, MCP_CONFORMANCE_PROTOCOL_VERSION: revision, MCP_CONFORMANCE_CONTEXT: context } = process.env;
const body = JSON.stringify({ url, scenario, revision, context: context === undefined ? {} : JSON.parse(context) });
const answer = await fetch(control, { method: "POST", body });
process.stdout.write(await answer.text());
process.exitCode = answer.ok ? 0 : 1;
