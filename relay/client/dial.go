package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

// dialTimeout bounds name look-up, TCP, TLS and the upgrade together.
const dialTimeout = 10 * time.Second

// Identity is who a client connects as.
type Identity struct {
	party wire.Party
	path  string
	sign  func(h http.Header, at time.Time)
	query func() url.Values // the same in the URL, for a relay that looks nowhere else; may be nil
}

// App is a user's phone. token is called for every dial, so that a refreshed
// one is used when it is there. It goes into a header, since URLs are logged by those
// they pass; a relay that refuses that may know the query only (CONTRACT §3.1).
func App(token func() string) Identity {
	return Identity{
		party: wire.App, path: "/ws/app",
		sign:  func(h http.Header, _ time.Time) { h.Set("Authorization", "Bearer "+token()) },
		query: func() url.Values { return url.Values{"token": {token()}} },
	}
}

// Device is a robot, with the secret the relay knows it by. Each dial is signed
// anew (CONTRACT §3.2).
func Device(id wire.DeviceID, secret string) Identity {
	return Identity{party: wire.Robot, path: "/ws/device", sign: func(h http.Header, at time.Time) {
		h.Set("X-Device-ID", string(id))
		h.Set("X-Timestamp", strconv.FormatInt(at.Unix(), 10))
		h.Set("X-Signature", wire.Sign(secret, id, at))
	}}
}

// endpoint turns a relay's address into the URL of one of its sockets.
func endpoint(address, path string) (string, error) {
	u, err := parse(address)
	if err != nil {
		return "", err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = path
	}
	return u.String(), nil
}

// parse reads a relay's address, with ws or wss for a scheme whichever it has. The
// error repeats nothing of it but the scheme.
func parse(address string) (*url.URL, error) {
	const use = "; use ws://host:port or wss://host"
	u, err := url.Parse(address)
	if err != nil {
		return nil, errors.New("relay URL is malformed" + use)
	}
	switch u.Scheme {
	case "http":
		u.Scheme = "ws"
	case "https":
		u.Scheme = "wss"
	case "ws", "wss":
	default:
		return nil, fmt.Errorf("relay URL has scheme %q"+use, u.Scheme)
	}
	if u.Host == "" {
		return nil, errors.New("relay URL names no host" + use)
	}
	return u, nil
}

func dial(ctx context.Context, endpoint string, as Identity, clock *clock) (*websocket.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	header, at := http.Header{}, clock.now()
	as.sign(header, at)
	conn, answer, err := upgrade(ctx, endpoint, header)
	if errors.Is(err, ErrUnauthorized) && as.query != nil {
		conn, answer, err = upgrade(ctx, endpoint+"?"+as.query().Encode(), nil)
	}
	switch {
	case err == nil:
		clock.accepted(at)
	case errors.Is(err, ErrUnauthorized):
		clock.refused(answer)
	}
	return conn, err
}

// upgrade opens a socket, or returns the header of the answer that refuses it.
func upgrade(ctx context.Context, endpoint string, header http.Header) (*websocket.Conn, http.Header, error) {
	network := interruptible{}
	defer network.settle() // before ctx is canceled: what it does then is no concern of the socket
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, NetDialContext: network.dial}
	conn, response, err := dialer.DialContext(ctx, endpoint, header)
	if response != nil {
		defer response.Body.Close() //nolint:errcheck // gorilla has read it into memory
	}
	switch {
	case err == nil:
		return conn, nil, nil
	case response == nil:
		return nil, nil, fmt.Errorf("dial the relay: %w", err)
	case response.StatusCode == http.StatusUnauthorized:
		return nil, response.Header, ErrUnauthorized
	default:
		return nil, nil, fmt.Errorf("the relay answered %s instead of opening a socket", response.Status)
	}
}

// interruptible makes the upgrade end with its context: the library gives it
// the context's deadline, but waits for an answer when the context is canceled.
type interruptible struct{ stop func() bool }

func (i *interruptible) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	if err == nil {
		i.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	}
	return conn, err
}

func (i *interruptible) settle() {
	if i.stop != nil {
		i.stop()
	}
}
