package e2e

import (
	"encoding/json"
	"sync"

	"github.com/chromedp/cdproto/network"

	"wimz.dev/live/relay/wire"
)

// talk is what the page says to the relay.
type talk struct {
	mu   sync.Mutex
	sent []wire.Message // guarded by mu
}

func (k *talk) hear(event any) {
	frame, ok := event.(*network.EventWebSocketFrameSent)
	if !ok {
		return
	}
	var m wire.Message
	if json.Unmarshal(frame.Response.PayloadData, &m) != nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sent = append(k.sent, m)
}

// resumed counts how often the page has asked a relay to take its session back, by
// its ticket.
func (k *talk) resumed() (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, m := range k.sent {
		if m.Type == wire.TypeResume && m.Ticket != "" {
			n++
		}
	}
	return n
}
