package httpapi_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"wimz.dev/live/relay/wire"
)

// FuzzAppFrame: whatever an app sends, to a session of its own as well, the
// relay answers the next ping, on the same socket or (after a frame over the
// limit) on a new one, and the robot stays.
func FuzzAppFrame(f *testing.F) {
	w := newWorld(f)
	user, token := w.user()
	w.device("robot", user)
	robot := w.robot("robot")
	go func() { // a robot reads
		for {
			if _, _, err := robot.socket.ReadMessage(); err != nil {
				return
			}
		}
	}()
	for _, frame := range []string{
		"", "{", "[]", `{"type":"webrtc_request"}`, `{"type":"webrtc_request","device_id":"robot"}`,
		`{"type":"webrtc_ice","session_id":"SESSION","candidate":{"candidate":"c"}}`,
		`{"type":"webrtc_answer","session_id":"SESSION","sdp":{"type":"answer","sdp":"v=0"}}`,
		`{"type":"webrtc_close","session_id":"SESSION"}`, `{"type":"webrtc_resume","session_id":"SESSION"}`,
		`{"type":"auth","token":"x"}`, `{"type":"get_status","device_id":"robot"}`, `{"type":"webrtc_offer"}`,
		"\xff\xfe", strings.Repeat("[", 20000), strings.Repeat("x", wire.MaxFrame+1),
	} {
		f.Add(frame)
	}
	f.Fuzz(func(t *testing.T, frame string) {
		here := *w
		here.TB = t
		app := here.app(token)
		app.isTold("robot", true)
		id := app.session()
		app.raw(strings.ReplaceAll(frame, "SESSION", string(id)))
		if len(frame) > wire.MaxFrame {
			app.closedWith(wire.CloseTooLarge)
			app = here.app(token)
		}
		app.send(wire.Message{Type: wire.TypePing})
		for app.next().Type != wire.TypePong {
		}
		_ = app.socket.WriteControl(websocket.CloseMessage, nil, time.Now().Add(time.Second))
		_ = app.socket.Close()
		if w.hub.Robots() != 1 {
			t.Fatal("the robot was thrown out")
		}
	})
}

// FuzzUpgrade: who has no credentials gets no socket, and always the same
// answer.
func FuzzUpgrade(f *testing.F) {
	w := newWorld(f)
	user, _ := w.user()
	w.device("robot", user)
	wrong := wire.Sign("another secret", "robot", time.Time{})
	f.Add(true, "device_id=robot&sig="+wrong, "", "", "", "")
	f.Add(true, "device_id=robot&sig="+wrong+"&timestamp=1700000000", "", "", "", "")
	f.Add(true, "", "", "robot", "1700000000", wrong)
	f.Add(true, "device_id=%zz&device_id=;&sig=\x00", "", "robot\r\n", "-1", "")
	f.Add(false, "token=eyJhbGciOiJub25lIn0.e30.", "", "", "", "")
	f.Add(false, "", "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.x", "", "", "")
	f.Fuzz(func(t *testing.T, device bool, query, authorization, id, timestamp, signature string) {
		path := "/ws/app"
		if device {
			path = "/ws/device"
		}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		r.URL.RawQuery = query
		for name, value := range map[string]string{
			"Authorization": authorization, "X-Device-ID": id, "X-Timestamp": timestamp, "X-Signature": signature,
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
		} {
			r.Header.Set(name, value)
		}
		answer := httptest.NewRecorder()
		w.api.ServeHTTP(answer, r)
		if text := strings.TrimSpace(answer.Body.String()); answer.Code != 401 || text != `{"detail":"Not authenticated"}` {
			t.Errorf("%d %s", answer.Code, text)
		}
	})
}

// session asks for one. It returns none if there have been too many requests.
func (p *peer) session() wire.SessionID {
	p.Helper()
	p.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	return p.next().SessionID
}
