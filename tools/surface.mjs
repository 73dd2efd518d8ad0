// The public surface as the entries declare it. `node tools/surface.mjs` prints what surface.test.mjs pins.
import { existsSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { packageFolders, root } from "./installed.mjs";

/**
 * The names that an entry exports, sorted; those that exist in types only begin with `type `.
 * @param {string} fileName
 * @param {string} text
 * @returns {string[]}
 */
export function exportsOf(fileName, text) {
  const file = ts.createSourceFile(fileName, text, ts.ScriptTarget.ES2022, true);
  return file.statements.flatMap((statement) => namesIn(statement, fileName)).sort((a, b) => bare(a).localeCompare(bare(b), "en"));
}

/**
 * @param {ts.Statement} statement
 * @param {string} fileName
 * @returns {string[]}
 */
function namesIn(statement, fileName) {
  if (ts.isExportDeclaration(statement)) {
    const { exportClause: clause, isTypeOnly } = statement;
    if (!clause || !ts.isNamedExports(clause)) throw new Error(`${fileName} exports *: name what is public`);
    return clause.elements.map((element) => (isTypeOnly || element.isTypeOnly ? `type ${element.name.text}` : element.name.text));
  }
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined;
  if (!modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)) return [];
  if (ts.isVariableStatement(statement)) return statement.declarationList.declarations.map(({ name }) => name.getText());
  if (ts.isInterfaceDeclaration(statement) || ts.isTypeAliasDeclaration(statement)) return [`type ${statement.name.text}`];
  if ((ts.isFunctionDeclaration(statement) || ts.isClassDeclaration(statement)) && statement.name) return [statement.name.text];
  throw new Error(`${fileName} exports in a way that surface.mjs does not know: ${statement.getText().slice(0, 60)}`);
}

/** @param {string} name */
function bare(name) {
  return name.replace(/^type /, "");
}

/**
 * Every entry of every published package and the names that it exports.
 * @returns {Record<string, string[]>}
 */
export function publicSurface() {
  /** @type {Record<string, string[]>} */
  const surface = {};
  for (const folder of packageFolders()) {
    const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
    for (const [entry, conditions] of Object.entries(manifest.exports)) {
      if (entry === "./package.json" || manifest.private) continue;
      const source = join(folder, conditions.default.replace("./dist/", "src/").replace(/\.js$/, ".ts"));
      const fileName = relative(root, source).split(sep).join("/");
      if (existsSync(source)) surface[manifest.name + entry.slice(1)] = exportsOf(fileName, readFileSync(source, "utf8"));
    }
  }
  return surface;
}

/**
 * @param {readonly string[]} names
 * @returns {string} them in lines of at most 130 characters
 */
function wrapped(names) {
  return names.reduce((text, name) => {
    const line = text.length - text.lastIndexOf("\n");
    return text === "" ? `    ${name}` : line + name.length > 128 ? `${text},\n    ${name}` : `${text}, ${name}`;
  }, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [entry, names] of Object.entries(publicSurface())) console.log(`  "${entry}": \`\n${wrapped(names)}\`,`);
}
