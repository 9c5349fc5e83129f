// Plays sessions: reads [NAME, URL, TRANSPORT or nothing] as a line of JSON, writes what the client has seen as another.

import { createInterface } from "node:readline"
import signalR from "@microsoft/signalr"
import { sessions } from "./session.mjs"

for await (const line of createInterface({ input: process.stdin })) {
  const [name, ...rest] = JSON.parse(line)
  const seen = await sessions[name](signalR, ...rest).catch(error => ({ error: error.message }))
  console.log(JSON.stringify(seen))
}
