package rtc_test

import (
	"log/slog"
	"sync"
	"testing"

	"github.com/pion/webrtc/v4"

	"wimz.dev/live/robot/rtc"
)

// scopes notes for which parts of pion a logger is made.
type scopes struct {
	slog.Handler

	mu   *sync.Mutex
	seen map[string]bool
}

func (s scopes) WithAttrs(attrs []slog.Attr) slog.Handler {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range attrs {
		s.seen[a.Value.String()] = true
	}
	return s
}

func TestInterceptorsLogWhereAllElseDoes(t *testing.T) {
	log := scopes{slog.DiscardHandler, &sync.Mutex{}, map[string]bool{}}
	api, err := rtc.NewAPI(t.Context(), rtc.Options{Log: slog.New(log)})
	if err != nil {
		t.Fatal(err)
	}
	pc, err := api.NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close() //nolint:errcheck // nothing was said
	log.mu.Lock()
	defer log.mu.Unlock()
	for _, scope := range []string{"ice", "twcc_sender_interceptor", "nack_generator"} {
		if !log.seen[scope] {
			t.Errorf("%s logs to standard error: %v", scope, log.seen)
		}
	}
}
