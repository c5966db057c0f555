// Package turn gets TURN credentials for sessions and gives them back.
//
//	session ── Acquire ──► Pool ── Mint ──► Breaker ──► Provider
//	        ◄── Lease ────     ── Revoke ─►
//
// A [Provider] issues and revokes credentials: [Cloudflare], [Coturn], [Static]
// or [None]; turntest is the suite they all pass. A [Breaker] keeps callers from
// one that hangs. A [Pool] stands before it: sessions of one user with one robot
// share a credential while it is young, a failing or late provider is bridged
// with what is cached, and a credential that nobody uses any more is revoked; at
// once if its user has lost the right to it.
//
// No error text and no log line of this package holds the API token, a
// credential, or anything the provider has written into an answer.
package turn
