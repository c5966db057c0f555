package turnserver

import (
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"

	"github.com/pion/turn/v5"

	"wimz.dev/live/robot/rtc"
)

// Allocate tries a credential: it gets a relayed address (RFC 8656 §7) from the
// first of the URLs that names a TURN server over UDP, and frees it. The error is
// why there is none; pion's client gives up after some seconds.
func Allocate(urls []string, username, password string) error {
	i := slices.IndexFunc(urls, func(url string) bool {
		return strings.HasPrefix(url, "turn:") && strings.HasSuffix(url, "?transport=udp")
	})
	if i < 0 {
		return errors.New("no URL of TURN over UDP")
	}
	address := strings.TrimSuffix(strings.TrimPrefix(urls[i], "turn:"), "?transport=udp")
	conn, err := net.ListenUDP("udp4", nil)
	if err != nil {
		return err
	}
	defer conn.Close() //nolint:errcheck // nothing was promised to anybody
	client, err := turn.NewClient(&turn.ClientConfig{
		TURNServerAddr: address, Conn: conn, Username: username, Password: password,
		LoggerFactory: rtc.NewLoggerFactory(slog.New(slog.DiscardHandler)),
	})
	if err != nil {
		return err
	}
	defer client.Close()
	if err = client.Listen(); err != nil {
		return err
	}
	relayed, err := client.Allocate()
	if err != nil {
		return err
	}
	return relayed.Close()
}
