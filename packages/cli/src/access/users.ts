import { randomBytes } from "node:crypto";
import { GatewayError } from "@sallyport/core";
import type { Command } from "../command.js";
import { withGateway } from "./with-gateway.js";

/** What of the command line says who a user is. */
export interface UserOptions {
  readonly target: string | undefined;
  readonly role: string | undefined;
  readonly project: string | undefined;
  readonly email: string | undefined;
  /** Reads the password from standard input; otherwise one is made and shown once. */
  readonly passwordStdin: boolean;
}

/** `users add <name>` and `users list`, as the owner. There is no user that nobody made. */
export async function users(command: Command, action: string | undefined, o: UserOptions): Promise<number> {
  if (action !== "add" && action !== "list")
    throw new GatewayError("bad_request", `"users ${action ?? ""}" is not known.`, {
      hint: "Use `sallyport users add <name>` or `sallyport users list`.",
    });
  return withGateway(command, async (gateway) => {
    const { terminal } = command;
    if (action === "list") {
      let cursor: string | undefined;
      do {
        const page = await gateway.users.list({ limit: 500, ...(cursor === undefined ? {} : { cursor }) });
        for (const user of page.users)
          terminal.out([user.id, user.enabled ? "enabled" : "disabled", user.projectId, user.username].join("\t"));
        cursor = page.next ?? undefined;
      } while (cursor !== undefined);
      return 0;
    }
    if (o.target === undefined)
      throw new GatewayError("bad_request", "A user has a name.", { hint: "sallyport users add ada --role admin" });
    const given = o.passwordStdin ? await standardInput() : undefined;
    const password = given ?? randomBytes(15).toString("base64url");
    const made = await gateway.users.create({
      username: o.target,
      password,
      role: o.role ?? "admin",
      projectId: o.project,
      email: o.email,
    });
    if (given === undefined) terminal.out(password);
    terminal.err(
      `The user "${made.username}" (${made.id}) may sign in.${given === undefined ? " This is the password, shown only this once." : ""}`,
    );
    return 0;
  });
}

async function standardInput(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks)
    .toString("utf8")
    .replace(/\r?\n$/, "");
}
