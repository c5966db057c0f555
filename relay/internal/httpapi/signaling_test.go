package httpapi_test

import (
	"testing"

	"wimz.dev/live/relay/wire"
)

func sdp(kind wire.Type, id wire.SessionID) wire.Message {
	text := map[wire.Type]string{wire.TypeOffer: "offer", wire.TypeAnswer: "answer"}[kind]
	return wire.Message{Type: kind, SessionID: id, SDP: &wire.SessionDescription{Type: text, SDP: "v=0"}}
}

func candidate(id wire.SessionID) wire.Message {
	return wire.Message{Type: wire.TypeICE, SessionID: id, Candidate: &wire.Candidate{Candidate: "candidate:1"}}
}

// watch brings a session up to the answer.
func watch(app, robot *peer) wire.SessionID {
	app.Helper()
	app.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	id := app.hears("webrtc_credentials").SessionID
	asked := robot.hears("webrtc_request")
	if asked.SessionID != id || !asked.ICEServers.HasTURN() {
		app.Fatalf("the robot was asked with %s", wire.Encode(asked))
	}
	robot.send(sdp(wire.TypeOffer, id))
	app.hears("webrtc_offer")
	app.send(sdp(wire.TypeAnswer, id))
	robot.hears("webrtc_answer")
	return id
}

func TestSignaling(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	id := watch(app, robot)
	app.send(candidate(id))
	robot.hears("webrtc_ice")
	robot.send(candidate(id))
	app.hears("webrtc_ice")
	robot.send(wire.Message{Type: wire.TypeHeartbeat, Sessions: []wire.SessionReport{{SessionID: id, Connected: true}}})
	robot.quiet()
	app.send(wire.Message{Type: wire.TypeClose, SessionID: id})
	app.hears("webrtc_close app_left")
	robot.hears("webrtc_close app_left")
	w.eventually("the session is gone", func() bool { return w.sessions.Count() == 0 })
}

// TestExtraFieldsAreNotForwarded: what is passed on is the contract's fields.
func TestExtraFieldsAreNotForwarded(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	id := watch(app, robot)
	app.raw(`{"type":"webrtc_ice","session_id":"` + string(id) + `","candidate":{"candidate":"c","x":1},"token":"t","device_id":"d","evil":1}`)
	_, frame, err := robot.socket.ReadMessage()
	want := `{"type":"webrtc_ice","session_id":"` + string(id) + `","candidate":{"candidate":"c"}}`
	if err != nil || string(frame) != want {
		t.Errorf("forwarded %s, %v", frame, err)
	}
}

// TestAppComesBack resumes its session on a new socket.
func TestAppComesBack(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	id := watch(app, robot)
	_ = app.socket.Close()
	again := w.greeted(token)
	again.send(wire.Message{Type: wire.TypeResume, SessionID: id})
	if m := again.hears("webrtc_resumed"); m.SessionID != id {
		t.Errorf("told %s", wire.Encode(m))
	}
	robot.send(candidate(id))
	again.hears("webrtc_ice")
	again.send(candidate(id))
	robot.hears("webrtc_ice")
}

// TestRobotKeepsItsSessions when a newer socket replaces the old one.
func TestRobotKeepsItsSessions(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	id := watch(app, robot)
	newer := w.robot("robot")
	robot.closedWith(wire.CloseReplaced)
	newer.send(sdp(wire.TypeOffer, id))
	app.hears("webrtc_offer")
	app.send(candidate(id))
	newer.hears("webrtc_ice")
}

// TestRobotReplacedBeforeItOffers: the newer socket is asked again.
func TestRobotReplacedBeforeItOffers(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	app.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	id := app.hears("webrtc_credentials").SessionID
	robot.hears("webrtc_request")
	newer, status := w.dial("/ws/device", signedNow("robot"))
	if newer == nil {
		t.Fatalf("refused with %d", status)
	}
	if m := newer.hears("webrtc_request"); m.SessionID != id || m.ICEServers == nil {
		t.Errorf("asked with %s", wire.Encode(m))
	}
	newer.send(sdp(wire.TypeOffer, id))
	app.hears("webrtc_offer")
}

// TestSuperseded: an app that asks again gets one session, the robot is told.
func TestSuperseded(t *testing.T) {
	w, token, _ := house(t)
	robot := w.robot("robot")
	app := w.greeted(token)
	first := watch(app, robot)
	app.send(wire.Message{Type: wire.TypeRequest, DeviceID: "robot"})
	if m := robot.hears("webrtc_close superseded"); m.SessionID != first {
		t.Errorf("told %s", wire.Encode(m))
	}
	robot.hears("webrtc_request")
	app.hears("webrtc_credentials")
	app.quiet()
}
