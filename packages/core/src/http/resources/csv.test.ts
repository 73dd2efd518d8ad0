import { expect, it } from "vitest";
import { csvLine } from "./csv.js";

it.each([
  [["a", 1, true, null, undefined], "a,1,true,,"],
  [['say "hi"', "a,b", "two\nlines"], '"say ""hi""","a,b","two\nlines"'],
  [["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx"], `'=1+1,'+1,'-1,'@SUM(A1),'\tx,"'\rx"`],
  [[-1, { a: 1 }, ["=x"]], '-1,"{""a"":1}","[""=x""]"'],
])("writes %j", (values, expected) => {
  expect(csvLine(values)).toBe(`${expected}\r\n`);
});
