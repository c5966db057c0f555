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
	"wimz.dev/live/relay/wire"
)

// vendorRelay is another maker's relay, which knows only what the original
// specification and the apps in the field know ([S] and [D] in CONTRACT.md): no
// tickets, no times, no resuming, its servers are a bare list, and it tells nobody
// who comes and goes. It has one account, and passes on between one app and one
// robot what has the right session.
type vendorRelay struct {
	*httptest.Server

	user harness.User
	// hear, if not nil, is called with what the app says, instead of the robot.
	hear func(app *vendorSocket, m map[string]any)
	// life is that of a token, in seconds; who renews one is given another, which is
	// sent to renewed.
	life    int
	renewed chan string
	// gate, if not nil, is closed when the app's socket may be opened.
	gate chan struct{}

	mu         sync.Mutex
	robots     []wire.DeviceID // guarded by mu: of the account, all of them online
	app, robot *vendorSocket   // guarded by mu
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

// refused is a STUN server as browsers take none (RFC 7064 knows no transport).
const refused = "stun:127.0.0.1?transport=udp"

const vendorSession = "c0ffee00-0000-4000-8000-000000000001"

// startVendor starts one with a robot in its list.
func startVendor() *vendorRelay {
	GinkgoHelper()
	v := &vendorRelay{
		user: harness.User{Email: "owner@example.com", Password: "correct horse"},
		life: 3600, renewed: make(chan string, 8), robots: []wire.DeviceID{robotID},
	}
	token := vendorToken("first")
	mux := http.NewServeMux()
	mux.HandleFunc("POST /api/auth/login", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{"token": token, "expires_in": v.life, "user_id": "1"})
	})
	mux.HandleFunc("POST /api/auth/refresh", func(w http.ResponseWriter, _ *http.Request) {
		fresh := vendorToken("another")
		answer(w, map[string]any{"token": fresh, "user_id": "1"})
		v.renewed <- fresh
	})
	mux.HandleFunc("GET /api/user/devices", func(w http.ResponseWriter, _ *http.Request) {
		devices := []map[string]any{}
		for _, id := range v.owned() {
			devices = append(devices, map[string]any{"device_id": id, "is_online": true})
		}
		answer(w, map[string]any{"devices": devices})
	})
	mux.HandleFunc("POST /api/device/pair", func(w http.ResponseWriter, _ *http.Request) {
		v.own(robotID)
		answer(w, map[string]any{"success": true, "device_id": robotID})
	})
	app := v.serve(&v.app, v.fromApp)
	mux.HandleFunc("GET /ws/app", func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("token") != token { // a header says nothing to it
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		if v.gate != nil {
			select {
			case <-v.gate:
			case <-r.Context().Done():
				return
			}
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

// vendorToken returns a token of the one account.
func vendorToken(id string) string {
	GinkgoHelper()
	token, err := jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.MapClaims{
		"sub": "1", "jti": id, "exp": time.Now().Add(time.Hour).Unix(), "iat": time.Now().Unix(),
	}).SignedString([]byte("a secret of another maker"))
	Expect(err).NotTo(HaveOccurred())
	return token
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

// own makes these the account's robots.
func (v *vendorRelay) own(robots ...wire.DeviceID) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.robots = robots
}

func (v *vendorRelay) owned() []wire.DeviceID {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.robots
}

// say says something to the app.
func (v *vendorRelay) say(text string) {
	v.mu.Lock()
	app := v.app
	v.mu.Unlock()
	app.say(text)
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
		app.tell(map[string]any{
			"type": "webrtc_credentials", "session_id": vendorSession,
			"ice_servers": append([]map[string]any{{"urls": refused}}, servers...),
		})
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
