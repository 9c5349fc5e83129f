// What the official client sees of a hub: the same in Node and in a page.

const LIMIT = 20000, LIMIT_OF_ALL = 40000 // milliseconds

/** A promise's value; an error that says what it waited for, when it takes too long. */
function within(what, promise, limit = LIMIT) {
  let timer
  const late = new Promise((_, failed) => { timer = setTimeout(() => failed(new Error(`no ${what} in time`)), limit) })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** What a promise that must fail says. */
const refusal = promise => promise.then(value => `no error, but ${value}`, error => error.message)

/** A connection, its end as a promise, and the transports that it could not start. */
function connect(signalR, url, transport, again = null) {
  const failed = []
  const note = message => {
    const found = /Failed to start the transport '(\w+)'/.exec(message)
    if (found) failed.push(found[1])
  }
  let builder = new signalR.HubConnectionBuilder()
    .withUrl(url, transport ? { transport: signalR.HttpTransportType[transport] } : {})
    .configureLogging({ log: (_, message) => note(message) })
  if (again) builder = builder.withAutomaticReconnect(again)
  const connection = builder.build()
  const closed = new Promise(done => connection.onclose(error => done(error ? error.message : null)))
  return { connection, closed, failed }
}

/** Calls, a call from the hub, streams, an error, and a goodbye. */
async function calls(signalR, url, transport) {
  const { connection, closed, failed } = connect(signalR, url, transport)
  const news = new Promise(done => connection.on("news", (...words) => done(words)))
  await within("start", connection.start())
  const seen = { failed, transport: await connection.invoke("Transport") }
  seen.echo = await connection.invoke("Echo", "naïve ⚽")
  await connection.invoke("Broadcast", "to all")
  seen.news = await within("news", news)
  const items = count => new Promise((complete, error) => {
    const got = []
    connection.stream("Counter", count).subscribe({ next: item => got.push(item), error, complete: () => complete(got) })
  })
  seen.stream = await within("end of a stream", items(3))
  let subscription
  await within("items", new Promise((done, error) => {
    subscription = connection.stream("Counter", 1e9).subscribe({ next: item => item === 2 && done(), error, complete: error })
  }))
  subscription.dispose()
  seen.cancelled = await within("end of a cancelled stream", connection.invoke("Cancelled"))
  seen.boom = await refusal(connection.invoke("Boom"))
  seen.nobody = await refusal(connection.invoke("Nobody"))
  await within("goodbye", connection.stop())
  seen.closed = await within("end", closed)
  return seen
}

/** The hub ends the connection, and says why. */
async function dismissed(signalR, url, transport) {
  const { connection, closed } = connect(signalR, url, transport)
  await within("start", connection.start())
  await connection.send("Dismiss", "closing time")
  return within("end", closed)
}

/** The hub ends the connection, and the client may come back. */
async function sentAway(signalR, url, transport) {
  const { connection } = connect(signalR, url, transport, [0])
  await within("start", connection.start())
  const back = new Promise(done => connection.onreconnected(() => done("back")))
  await connection.send("SendAway")
  const seen = [await within("second connection", back), await connection.invoke("Echo", "again")]
  await connection.stop()
  return seen
}

/** The upgrade is never answered: for how long that goes on nobody knows. */
async function hung(signalR, url) {
  const { connection, failed } = connect(signalR, url)
  connection.start().catch(() => {})
  await new Promise(done => setTimeout(done, 700))
  return { state: connection.state, failed }
}

export const sessions = Object.fromEntries([calls, dismissed, sentAway, hung].map(play =>
  [play.name, (...given) => within(`end of ${play.name}`, play(...given), LIMIT_OF_ALL)]))
