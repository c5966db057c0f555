package turn

import (
	"net"
	"strings"
	"testing"

	"github.com/pion/logging"
	pionturn "github.com/pion/turn/v5"
)

// Allocate gets a relayed address from the first server reached by UDP, and
// frees it.
func Allocate(t *testing.T, credentials Credentials) error {
	t.Helper()
	username, password, address := firstUDP(credentials)
	conn, err := net.ListenPacket("udp4", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close() //nolint:errcheck // nothing was promised to anybody
	client, err := pionturn.NewClient(&pionturn.ClientConfig{
		TURNServerAddr: address, Conn: conn, Username: username, Password: password,
		LoggerFactory: &logging.DefaultLoggerFactory{DefaultLogLevel: logging.LogLevelDisabled},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err = client.Listen(); err != nil {
		t.Fatal(err)
	}
	relayed, err := client.Allocate()
	if err != nil {
		return err
	}
	return relayed.Close()
}

func firstUDP(credentials Credentials) (username, password, address string) {
	for _, server := range credentials.ICEServers.Servers {
		for _, url := range server.URLs {
			rest, plain := strings.CutPrefix(url, "turn:")
			if address, udp := strings.CutSuffix(rest, "?transport=udp"); plain && udp {
				return server.Username, server.Credential, address
			}
		}
	}
	return "", "", ""
}
