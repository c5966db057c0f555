package turn

import "wimz.dev/live/fakecloudflare/turnserver"

// Allocate tries the credential of the TURN servers, which come last.
func Allocate(credentials Credentials) error {
	server := credentials.ICEServers.Servers[len(credentials.ICEServers.Servers)-1]
	return turnserver.Allocate(server.URLs, server.Username, server.Credential)
}
