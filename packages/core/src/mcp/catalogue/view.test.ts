import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { WHOLE, locate, locateUri, outerName, outerUri, type View } from "./view.js";

const serverName = fc.stringMatching(/^[a-z0-9](?:[a-z0-9-]|_[a-z0-9]){0,8}[a-z0-9]$/);
const bare: View = { key: "b", servers: new Set(["one"]), bare: "one" };

describe("names", () => {
  it("lead back to where they came from, whatever the tool is called", () => {
    fc.assert(
      fc.property(serverName, fc.string({ minLength: 1 }), (server, name) => {
        expect(locate(WHOLE, outerName(WHOLE, { server, name })!)).toEqual({ server, name });
        expect(locateUri(WHOLE, outerUri(WHOLE, server, name))).toEqual({ server, name });
      }),
    );
  });

  it("stay as they are in a view of one server", () => {
    expect(outerName(bare, { server: "one", name: "x__y" })).toBe("x__y");
    expect(locate(bare, "x__y")).toEqual({ server: "one", name: "x__y" });
    expect(locateUri(bare, outerUri(bare, "one", "file:///a"))).toEqual({ server: "one", name: "file:///a" });
  });

  it("lead nowhere outside of a view", () => {
    const view: View = { key: "v", servers: new Set(["one"]), bare: null };
    expect(locate(view, "two__x")).toBeNull();
    expect(locateUri(view, "sallyport:two/x")).toBeNull();
    for (const name of ["", "__x", "x__", "plain", "one_x"]) expect(locate(WHOLE, name)).toBeNull();
    for (const uri of ["", "file:///x", "sallyport:", "sallyport:one", "sallyport:one/"]) expect(locateUri(WHOLE, uri)).toBeNull();
  });

  it("commute with a template's expansion", () => {
    const template = outerUri(WHOLE, "docs", "file:///{folder}/{+path}?q={q}");
    const expand = (text: string) => text.replace("{folder}", "a").replace("{+path}", "b/c").replace("{q}", "1");
    expect(locateUri(WHOLE, expand(template))).toEqual({ server: "docs", name: expand("file:///{folder}/{+path}?q={q}") });
  });

  it("are URIs that a URL parser keeps", () => {
    const uri = outerUri(WHOLE, "my_server", "file:///a/b?c=d");
    expect(new URL(uri).href).toBe(uri);
  });
});
