package harness

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/gobwas/ws"

	"wimz.dev/live/relay/wire"
)

// RawSocket is a connection to the relay itself, past the tap: what is written
// goes out as it is, however wrong.
type RawSocket struct {
	net.Conn
	in *bufio.Reader
}

// rawTime bounds everything that is waited for on a raw socket.
const rawTime = 30 * time.Second

// DialRaw connects and says nothing.
func (s *System) DialRaw(ctx context.Context) (*RawSocket, error) {
	conn, err := (&net.Dialer{Timeout: httpTimeout}).DialContext(ctx, "tcp", s.Relay.Addr)
	if err != nil {
		return nil, err
	}
	return &RawSocket{conn, bufio.NewReader(conn)}, conn.SetDeadline(time.Now().Add(rawTime))
}

// UpgradeRaw connects as an app.
func (s *System) UpgradeRaw(ctx context.Context, user User) (*RawSocket, error) {
	r, err := s.DialRaw(ctx)
	if err != nil {
		return nil, err
	}
	if _, err = io.WriteString(r, AppUpgrade(user)); err != nil {
		return nil, err
	}
	response, err := http.ReadResponse(r.in, nil)
	if err != nil {
		return nil, err
	}
	_ = response.Body.Close() // it has none
	if response.StatusCode != http.StatusSwitchingProtocols {
		return nil, fmt.Errorf("the relay answered %s instead of opening a socket", response.Status)
	}
	return r, nil
}

// AppUpgrade is the request that opens an app's socket.
func AppUpgrade(user User) string {
	return "GET /ws/app HTTP/1.1\r\nHost: relay\r\nAuthorization: Bearer " + user.Token + "\r\n" +
		"Connection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
}

// Frame writes one frame of a client, with a mask as clients must.
func Frame(op ws.OpCode, fin bool, payload []byte) []byte {
	return ws.MustCompileFrame(ws.MaskFrame(ws.NewFrame(op, fin, payload)))
}

// Barrier asks for a status and reads on to the answer. It returns what was said
// before, and the code if the relay closes the socket instead.
func (r *RawSocket) Barrier() (told []wire.Message, code int, err error) {
	ask := wire.Encode(wire.Message{Type: wire.TypeGetStatus, DeviceID: "barrier"})
	_, _ = r.Write(Frame(ws.OpText, true, ask)) // a closed socket is read to its end
	for {
		frame, err := ws.ReadFrame(r.in)
		switch {
		case err != nil:
			return told, 0, fmt.Errorf("neither answer nor close frame after %d messages: %w", len(told), err)
		case frame.Header.OpCode == ws.OpClose && len(frame.Payload) < 2:
			return told, int(ws.StatusNoStatusRcvd), nil
		case frame.Header.OpCode == ws.OpClose:
			return told, int(binary.BigEndian.Uint16(frame.Payload)), nil
		case frame.Header.OpCode != ws.OpText:
			continue
		}
		var m wire.Message
		if err := json.Unmarshal(frame.Payload, &m); err != nil || m.Type == wire.TypeStatus {
			return told, 0, err
		}
		told = append(told, m)
	}
}

// Vanish ends the connection with a reset, as a machine does that lost its
// memory of it.
func (r *RawSocket) Vanish() {
	if tcp, ok := r.Conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = r.Close()
}
