package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/gorilla/websocket"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
)

// vendorRelay is another maker's relay, which knows only what the original
// specification and the apps in the field know ([S] and [D] in CONTRACT.md): no
// tickets, no times, no resuming, its servers are a bare list, and it tells nobody
// who comes and goes. It has one account, and passes on between one app and one
// robot what has the right session.
type vendorRelay struct {
	*httptest.Server

	user   harness.User
	robots []map[string]any // of the account, as it lists them
	// hear, if not nil, is called with what the app says, instead of the robot.
	hear func(app *vendorSocket, m map[string]any)

	mu         sync.Mutex
	app, robot *vendorSocket // guarded by mu
	sockets    sync.WaitGroup
}

// vendorSocket is one end of a session.
type vendorSocket struct {
	mu   sync.Mutex
	conn *websocket.Conn
}

// say sends one frame.
func (s *vendorSocket) say(text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.conn.WriteMessage(websocket.TextMessage, []byte(text)) // it may have gone
}

// tell sends a message.
func (s *vendorSocket) tell(m map[string]any) {
	text, _ := json.Marshal(m) //nolint:errchkjson // it was JSON before
	s.say(string(text))
}

const vendorSession = "c0ffee00-0000-4000-8000-000000000001"

// startVendor starts one with an online robot in its list.
func startVendor() *vendorRelay {
	GinkgoHelper()
	v := &vendorRelay{
		user:   harness.User{Email: "owner@example.com", Password: "correct horse"},
		robots: []map[string]any{{"device_id": string(robotID), "is_online": true}},
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "1", "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	}).SignedString([]byte("a secret of another maker"))
	Expect(err).NotTo(HaveOccurred())
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/login", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"token": token, "expires_in": 3600, "user_id": "1"})
	})
	mux.HandleFunc("GET /api/user/devices", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"devices": v.robots})
	})
	app := v.serve(&v.app, v.fromApp)
	mux.HandleFunc("GET /ws/app", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != token { // a header says nothing to it
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		app(w, r)
	})
	mux.HandleFunc("GET /ws/device", v.serve(&v.robot, v.fromRobot))
	v.Server = httptest.NewServer(mux)
	DeferCleanup(func() {
		v.CloseClientConnections()
		v.Close()
		v.hangUp()
		v.sockets.Wait()
	})
	return v
}

func answer(w http.ResponseWriter, body map[string]any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body) //nolint:errchkjson // a visitor who is gone
}

// url is its address as a WebSocket's.
func (v *vendorRelay) url() string { return strings.Replace(v.URL, "http", "ws", 1) }

// serve reads one side's socket.
func (v *vendorRelay) serve(place **vendorSocket, from func(s *vendorSocket, m map[string]any)) http.HandlerFunc {
	upgrader := websocket.Upgrader{}
	return func(w http.ResponseWriter, r *http.Request) {
		conn, err := upgrader.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		v.sockets.Add(1)
		defer v.sockets.Done()
		defer conn.Close() //nolint:errcheck // it is over
		socket := &vendorSocket{conn: conn}
		v.mu.Lock()
		*place = socket
		v.mu.Unlock()
		for {
			var m map[string]any
			if conn.ReadJSON(&m) != nil {
				return
			}
			if m["type"] == "ping" {
				socket.tell(map[string]any{"type": "pong"})
				continue
			}
			from(socket, m)
		}
	}
}

func (v *vendorRelay) hangUp() {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, s := range []*vendorSocket{v.app, v.robot} {
		if s != nil {
			_ = s.conn.Close()
		}
	}
}

// here says whether the robot is connected.
func (v *vendorRelay) here() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.robot != nil
}

func (v *vendorRelay) fromApp(app *vendorSocket, m map[string]any) {
	if v.hear != nil {
		v.hear(app, m)
		return
	}
	v.mu.Lock()
	robot := v.robot
	v.mu.Unlock()
	switch {
	case m["type"] == "webrtc_request":
		address, _, _ := strings.Cut(strings.TrimPrefix(turn.URLs[0], "turn:"), "?")
		servers := []map[string]any{{"urls": "stun:" + address}}
		app.tell(map[string]any{"type": "webrtc_credentials", "session_id": vendorSession, "ice_servers": servers})
		robot.tell(map[string]any{"type": "webrtc_request", "session_id": vendorSession, "ice_servers": servers})
	case m["session_id"] == vendorSession:
		robot.tell(m)
	}
}

func (v *vendorRelay) fromRobot(_ *vendorSocket, m map[string]any) {
	v.mu.Lock()
	app := v.app
	v.mu.Unlock()
	if app != nil && m["session_id"] == vendorSession {
		app.tell(m)
	}
}
