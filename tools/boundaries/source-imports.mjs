import ts from "typescript";

/**
 * @typedef {{ specifier: string | null, typeOnly: boolean, dynamic: boolean, line: number }} Import
 *   `specifier` is null for `import(expression)`
 * @typedef {{ imports: Import[], strings: { text: string, line: number }[] }} Reading
 *   `strings` are the string literals that are no module specifiers
 */

/**
 * Reads every way in which a TypeScript or JavaScript file names another module: import, import type, export … from, import(), import("x").Type, require().
 * @param {string} fileName
 * @param {string} text
 * @returns {Reading}
 */
export function readSource(fileName, text) {
  const file = ts.createSourceFile(fileName, text, ts.ScriptTarget.ES2022, true);
  /** @type {Reading} */
  const reading = { imports: [], strings: [] };
  visit(file, reading, file);
  return reading;
}

/**
 * @param {ts.Node} node
 * @param {Reading} reading
 * @param {ts.SourceFile} file
 */
function visit(node, reading, file) {
  const found = importIn(node);
  const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  if (found) reading.imports.push({ ...found, line });
  else if (ts.isStringLiteralLike(node) && !isSpecifier(node)) reading.strings.push({ text: node.text, line });
  ts.forEachChild(node, (child) => visit(child, reading, file));
}

/**
 * @param {ts.Node} node
 * @returns {Omit<Import, "line"> | null}
 */
function importIn(node) {
  if (ts.isImportDeclaration(node)) return { specifier: textOf(node.moduleSpecifier), typeOnly: isTypeImport(node), dynamic: false };
  if (ts.isExportDeclaration(node) && node.moduleSpecifier)
    return { specifier: textOf(node.moduleSpecifier), typeOnly: isTypeExport(node), dynamic: false };
  if (ts.isImportTypeNode(node))
    return { specifier: ts.isLiteralTypeNode(node.argument) ? textOf(node.argument.literal) : null, typeOnly: true, dynamic: false };
  if (ts.isImportEqualsDeclaration(node) && ts.isExternalModuleReference(node.moduleReference))
    return { specifier: textOf(node.moduleReference.expression), typeOnly: node.isTypeOnly, dynamic: false };
  if (ts.isCallExpression(node) && isLoader(node.expression) && node.arguments[0])
    return { specifier: textOf(node.arguments[0]), typeOnly: false, dynamic: true };
  return null;
}

/** @param {ts.ImportDeclaration} node */
function isTypeImport({ importClause: clause }) {
  if (!clause) return false;
  if (clause.isTypeOnly) return true;
  const named = clause.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings.elements : null;
  return !clause.name && named !== null && named.length > 0 && named.every((element) => element.isTypeOnly);
}

/** @param {ts.ExportDeclaration} node */
function isTypeExport(node) {
  if (node.isTypeOnly) return true;
  const named = node.exportClause && ts.isNamedExports(node.exportClause) ? node.exportClause.elements : null;
  return named !== null && named.length > 0 && named.every((element) => element.isTypeOnly);
}

/** @param {ts.Expression} callee */
function isLoader(callee) {
  return callee.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(callee) && callee.text === "require");
}

/** @param {ts.Node} node */
function textOf(node) {
  return ts.isStringLiteralLike(node) ? node.text : null;
}

/** @param {ts.StringLiteralLike} node */
function isSpecifier(node) {
  const parent = node.parent;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isExternalModuleReference(parent)) return true;
  if (ts.isLiteralTypeNode(parent)) return ts.isImportTypeNode(parent.parent);
  return ts.isCallExpression(parent) && isLoader(parent.expression);
}
