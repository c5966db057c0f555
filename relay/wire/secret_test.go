package wire

import (
	"bytes"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

// TestSecretsAreNotPrinted prints and logs everything that holds a secret in
// every way a program might do by mistake.
func TestSecretsAreNotPrinted(t *testing.T) {
	list := ICEServers{[]ICEServer{{URLs: URLs{"turn:t.example:3478"}, Username: "secret-user", Credential: "secret-word"}}}
	message := Message{
		Type: TypeCredentials, SessionID: sessionID, ICEServers: &list, Token: "secret-token", Ticket: "secret-ticket",
		SDP:       &SessionDescription{"offer", "secret-sdp"},
		Candidate: &Candidate{Candidate: "secret-address"},
	}
	reports := []SessionReport{{SessionID: sessionID, Ticket: "secret-ticket"}}
	type wrapped struct {
		Message Message
		Servers []ICEServer
		Pointer *Message
	}
	for _, value := range []any{
		list, &list, list.Servers[0], &list.Servers[0], list.Servers,
		message, &message, reports, &reports[0],
		[]Message{message},
		wrapped{message, list.Servers, &message},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			if text := fmt.Sprintf(verb, value); strings.Contains(text, "secret") {
				t.Errorf("%s of a %T prints %s", verb, value, text)
			}
		}
	}
	for _, value := range []any{list, &list, list.Servers[0], message, &message, reports[0].Ticket} {
		for _, text := range logged(value) {
			if strings.Contains(text, "secret") {
				t.Errorf("the log of a %T has %s", value, text)
			}
		}
	}
}

// logged is what a text and a JSON log make of a value.
func logged(value any) []string {
	var text, object bytes.Buffer
	slog.New(slog.NewTextHandler(&text, nil)).Info("m", "value", value)
	slog.New(slog.NewJSONHandler(&object, nil)).Info("m", "value", value)
	return []string{text.String(), object.String()}
}

func TestWhatIsPrinted(t *testing.T) {
	for want, value := range map[string]fmt.Stringer{
		"[stun:a turn:b turn:c]": ICEServers{[]ICEServer{{URLs: URLs{"stun:a"}}, {URLs: URLs{"turn:b", "turn:c"}}}},
		"[turn:b]":               ICEServer{URLs: URLs{"turn:b"}, Username: "u"},
		"ping":                   Message{Type: TypePing},
		"error id-1 wimz_1 OFFER_TIMEOUT": Message{
			Type: TypeError, SessionID: "id-1", DeviceID: "wimz_1", Code: CodeOfferTimeout, Text: "private",
		},
		"webrtc_close id-1 superseded": Message{Type: TypeClose, SessionID: "id-1", Reason: ReasonSuperseded},
	} {
		if value.String() != want {
			t.Errorf("got %s, want %s", value, want)
		}
	}
}
