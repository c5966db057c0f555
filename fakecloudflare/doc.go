// Package fakecloudflare behaves like the key API of Cloudflare's TURN service
// (https://developers.cloudflare.com/realtime/turn/generate-credentials/), for
// tests and demonstrations. A [Server] is an [http.Handler].
//
// What the real API documents, and so the fake does the same way:
//
//	POST /v1/turn/keys/{key}/credentials/generate-ice-servers   201, {"iceServers":[…]}
//	POST /v1/turn/keys/{key}/credentials/generate               the older call: {"iceServers":{…}}
//	POST /v1/turn/keys/{key}/credentials/{username}/revoke      204, no body
//	Authorization: Bearer {api token}; body {"ttl":seconds,"customIdentifier":"…"}
//	ttl at most 48 hours; URLs of port 53 beside those of the primary port
//
// What it does not document, and the fake decides: 401 for a wrong token, 404
// for an unknown key or username, 400 for a ttl that is missing, not positive
// or too large, 413 for a large body, and errors in the envelope of Cloudflare's
// other APIs. Revoking twice is 204 both times.
//
// The credentials work: they follow the TURN REST scheme (package turnrest),
// so every TURN server that knows the secret takes them. Package turnserver is
// one that also asks [Server.Authorised] and therefore honours revocation.
//
// Faults are injected with [Server.SetFault], or over HTTP:
//
//	GET    /_control/ledger   {"requests":n,"credentials":[{"username":…,"ttl":…,…}]}
//	GET    /_control/fault    the fault in force
//	PUT    /_control/fault    {"status":503,"times":2}, see [Fault]
//	DELETE /_control/fault    healthy again; hanging requests are answered
//
// The control API asks for no password: never expose a fake to a network.
package fakecloudflare
