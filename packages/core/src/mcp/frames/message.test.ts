import { describe, expect, it } from "vitest";
import { idText, member, numericId, readMessage, requestPlan, stringMember, upstreamPlan, valueMember } from "./message.js";
import { insertMembers, rebuild, replaceWith, splice, utf8 } from "./splice.js";
import { joinBytes } from "../../util/encoding/join-bytes.js";

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
const read = (source: string) => readMessage(utf8(source), requestPlan);

describe("readMessage", () => {
  it("tells requests, notifications and responses apart", () => {
    expect(read('{"jsonrpc":"2.0","id":1,"method":"ping"}').kind).toBe("request");
    expect(read('{"jsonrpc":"2.0","method":"notifications/initialized"}').kind).toBe("notification");
    expect(read('{"jsonrpc":"2.0","id":1,"result":{}}').kind).toBe("response");
    expect(read('{"jsonrpc":"2.0","id":null,"error":{"code":1,"message":"x"}}').id).toBeNull();
  });

  it("keeps an id as it was written", () => {
    expect(idText(read('{"jsonrpc":"2.0","id":"a\\u0062","method":"ping"}'))).toBe('"a\\u0062"');
    expect(numericId(read('{"jsonrpc":"2.0","id":12,"result":{}}'))).toBe(12);
    expect(numericId(read('{"jsonrpc":"2.0","id":"12","result":{}}'))).toBeNull();
    expect(numericId(read('{"jsonrpc":"2.0","id":1e999,"result":{}}'))).toBeNull();
  });

  it.each([
    ["a batch", "[]"],
    ["a string", '"x"'],
    ["no version", '{"id":1,"method":"ping"}'],
    ["another version", '{"jsonrpc":"1.0","id":1,"method":"ping"}'],
    ["a null id", '{"jsonrpc":"2.0","id":null,"method":"ping"}'],
    ["an object as id", '{"jsonrpc":"2.0","id":{},"method":"ping"}'],
    ["a number as method", '{"jsonrpc":"2.0","id":1,"method":2}'],
    ["positional params", '{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}'],
    ["a result and an error", '{"jsonrpc":"2.0","id":1,"result":{},"error":{}}'],
    ["neither", '{"jsonrpc":"2.0","id":1}'],
    ["a bare result", '{"jsonrpc":"2.0","id":1,"result":5}'],
    ["a method twice", '{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/call"}'],
    ["a method twice, once escaped", '{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/call"}'],
  ])("refuses %s", (_what, source) => {
    expect(() => read(source)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });

  it.each([
    ["a name", '"method":"tools/call","params":{"name":"a","Name":"b"}'],
    ["arguments", '"method":"tools/call","params":{"name":"a","ARGUMENTS":{}}'],
    ["an escaped uri", '"method":"resources/read","params":{"uri":"a","\\u0055ri":"b"}'],
    ["a letter that folds to another", '"method":"tools/call","params":{"name":"a","argument\u017f":{}}'],
    ["a method", '"method":"tools/list","Method" : "tools/call"'],
    ["params", '"method":"tools/call","params":{"name":"a"},"Params":{"name":"b"}'],
    ["what is completed", '"method":"completion/complete","params":{"ref":{"type":"ref/prompt","name":"a","naMe":"b"}}'],
  ])("refuses what differs from %s in case alone: some servers would read it in its place (T43)", (_what, members) => {
    expect(() => read(`{"jsonrpc":"2.0","id":1,${members}}`)).toThrow(expect.objectContaining({ code: "bad_request" }));
  });

  it("takes any other member, and arguments in any case", () => {
    const source = '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","names":1,"arguments":{"Name":1,"name":2}},"x":1}';
    expect(text(read(source).bytes)).toBe(source);
  });

  it("reads members of params, and refuses one that is there twice", () => {
    const message = read(
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a","_meta":{"progressToken":{"y":1}},"uri":1,"cursor":"1","cursor":"2"}}',
    );
    expect(stringMember(message.bytes, message.params, "name")).toBe("a");
    expect(stringMember(message.bytes, message.params, "uri")).toBeNull();
    expect(valueMember(message.bytes, member(message.params, "_meta"), "progressToken")).toEqual({ y: 1 });
    expect(() => member(message.params, "cursor")).toThrow(/twice/);
  });
});

describe("splice", () => {
  it("makes edits in any order and leaves every other byte alone", () => {
    const message = read('{"jsonrpc":"2.0", "id" : 1 ,"method":"m","params":{"name":"a","arguments":{"n":1.0e+2,"2":1,"1":2}}}');
    const edits = [replaceWith(member(message.params, "name")!, '"longer"'), replaceWith(message.id!, '"x"')];
    expect(text(splice(message.bytes, edits))).toBe(
      '{"jsonrpc":"2.0", "id" : "x" ,"method":"m","params":{"name":"longer","arguments":{"n":1.0e+2,"2":1,"1":2}}}',
    );
  });

  it("inserts into empty and filled objects", () => {
    const empty = readMessage(utf8('{"jsonrpc":"2.0","id":1,"result":{ }}'), upstreamPlan);
    const filled = readMessage(utf8('{"jsonrpc":"2.0","id":1,"result":{"a":1}}'), upstreamPlan);
    expect(JSON.parse(text(splice(empty.bytes, [insertMembers(empty.result!, '"b":2')])))).toMatchObject({ result: { b: 2 } });
    expect(JSON.parse(text(splice(filled.bytes, [insertMembers(filled.result!, '"b":2')])))).toMatchObject({ result: { a: 1, b: 2 } });
  });

  it("rebuilds an object without some members and with others", () => {
    const message = read('{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"a":1.50,"progressToken":2,"b":[ 1 ]}}}');
    const edit = rebuild(message.bytes, member(message.params, "_meta")!, { drop: (key) => key === "progressToken", members: ['"c":3'] });
    expect(text(splice(message.bytes, [edit]))).toBe('{"jsonrpc":"2.0","id":1,"method":"m","params":{"_meta":{"c":3,"a":1.50,"b":[ 1 ]}}}');
  });

  it("puts parts together", () => {
    expect(text(joinBytes([utf8("a"), utf8(""), utf8("bc")]))).toBe("abc");
  });
});
